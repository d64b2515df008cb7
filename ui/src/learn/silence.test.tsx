// Tests that the tour snoozes the live music, and that the snooze ends in whatever way the user
// leaves the tour.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import type { Moment } from '../live/state';
import { StoresContext } from '../app/context';
import { makeStores, type Stores } from '../app/stores';
import { Quiz } from './Quiz';
import { Tour } from './Tour';
import { STOPS } from './tour';

const CLIPS = STOPS.slice(0, 4).map(({ scenario }) => ({ scenario, title: scenario, file: `/api/clips/${scenario}.wav`, seconds: 16, listen_for: 'x' }));
const CONTROLS = { muted: false, silence: null, snoozed_until_ts_ms: null };

let stores: Stores;
let root: Root;
let posts: { url: string; keepalive: boolean }[];

const click = (id: string) =>
  act(async () => {
    document.getElementById(id)?.click();
    await Promise.resolve();
  });

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue();
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockReturnValue();
  posts = [];
  stores = makeStores(
    new Client((url, init) => {
      posts.push({ url, keepalive: init?.keepalive === true });
      return Promise.resolve(new Response('{"ok": true}'));
    }),
  );
  stores.live.text.set({ controls: CONTROLS } as unknown as Moment);
  document.body.innerHTML = '<div id="root"></div>';
  const place = document.getElementById('root');
  if (place === null) throw new Error('no element root');
  root = createRoot(place);
  await act(async () => {
    root.render(
      <StoresContext value={stores}>
        <Tour clips={CLIPS} />
        <Quiz clips={CLIPS} />
      </StoresContext>,
    );
    await Promise.resolve();
  });
  await click('tour');
});
afterEach(() => {
  act(() => root.unmount());
  vi.restoreAllMocks();
});

const SNOOZE = { url: '/api/actions/snooze?minutes=2', keepalive: false };
const UNSNOOZE = '/api/actions/snooze?minutes=0';

describe('the tour', () => {
  it('snoozes the live music once', async () => {
    await click('tour-next');
    expect(posts).toEqual([SNOOZE]);
  });

  it('ends the snooze when the tab is closed', () => {
    dispatchEvent(new Event('pagehide'));
    expect(posts).toEqual([SNOOZE, { url: UNSNOOZE, keepalive: true }]);
  });

  it('ends the snooze when another view is opened', () => {
    act(() => root.unmount());
    expect(posts.map(({ url }) => url)).toEqual([SNOOZE.url, UNSNOOZE]);
  });

  it('ends the snooze when the quiz plays a clip', async () => {
    await click('quiz-next');
    expect(posts.map(({ url }) => url)).toEqual([SNOOZE.url, UNSNOOZE]);
    expect(document.getElementById('tour')?.getAttribute('aria-pressed')).toBe('false');
    dispatchEvent(new Event('pagehide'));
    expect(posts).toHaveLength(2);
  });
});
