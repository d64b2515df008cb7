// Tests that the keys of `khor top` also work on the page, except while the user types into a
// field.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../api/client';
import type { Moment } from '../live/state';
import { Keys } from './Keys';
import { KEYS, neighbour } from './shortcuts';
import { StoresContext } from './context';
import { makeStores, type Stores } from './stores';

const CONTROLS = { bpm: 110, key_midi: 50, scale: 'dorian' as const, preset: 'ambient', density: 0.5, smoothing: 0.5, master_gain: 0.5, muted: false, silence: null, snoozed_until_ts_ms: null, quiet_until_ts_ms: null };
const CONFIG = {
  features: { bpf: true, audio: true, midi: false, osc: false, fake: false },
  music: { bpm: 110, key_midi: 50, scale: 'dorian', preset: 'ambient', density: 0.5, smoothing: 0.5 },
  audio: { device: '', master_gain: 0.5, loudness_lufs: -23 },
  midi: { port: 'khor', channel: 1, clock: false },
  bpf: { cgroup: '', tgid_allow: [], tgid_deny: [] },
  osc: { host: '127.0.0.1', port: 9000, targets: [], receive: { enabled: false, port: 9001 } },
  quiet: { enabled: false, from: '22:00', to: '07:00' },
  desktop: { bus: false, mpris: false, notifications: false },
  site: { name: '', host: null, mode: 'ensemble' },
};

let stores: Stores;
let root: Root;
let posts: string[];

function answer(url: string, init?: RequestInit): Promise<Response> {
  if (init?.method === 'POST') posts.push(url);
  const named = (name: string) => ({ name, hint: '', builtin: true, file: null });
  const body = url === '/api/presets' ? { presets: ['ambient', 'drone', 'rain'].map(named), current: 'ambient' } : url === '/api/audio/devices' ? { devices: [] } : CONFIG;
  return Promise.resolve(new Response(JSON.stringify(body)));
}

const at = (id: string): HTMLElement => {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element ${id}`);
  return element;
};
const press = (key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}) =>
  act(async () => {
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  });

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  posts = [];
  localStorage.clear();
  stores = makeStores(new Client(answer));
  document.body.innerHTML = '<div id="root"></div><input type="text" id="text"><input type="range" id="slider"><select id="select"></select>';
  root = createRoot(at('root'));
  await act(async () => {
    root.render(
      <StoresContext value={stores}>
        <Keys />
      </StoresContext>,
    );
    stores.settings.follow(CONTROLS);
    stores.live.text.set({ controls: CONTROLS } as unknown as Moment);
    await stores.settings.reload();
  });
});
afterEach(() => act(() => root.unmount()));

describe('keyboard shortcuts', () => {
  it('mute, snooze and select the next preset', async () => {
    await press('m');
    await press('s');
    await press('n');
    expect(posts).toEqual(['/api/actions/mute?on=true', '/api/actions/snooze?minutes=15', '/api/preset/select?name=drone']);
  });

  it('end a snooze', async () => {
    stores.live.text.set({ controls: { ...CONTROLS, muted: true, silence: { reason: 'snoozed', until: 5 }, snoozed_until_ts_ms: 5 } } as unknown as Moment);
    await press('s');
    expect(posts).toEqual(['/api/actions/snooze?minutes=0']);
  });

  it('mute while a snooze runs', async () => {
    await act(async () => {
      stores.settings.follow({ ...CONTROLS, muted: true, silence: { reason: 'snoozed', until: 5 } });
      await Promise.resolve();
    });
    await press('m');
    expect(posts).toEqual(['/api/actions/mute?on=true']);
  });

  it('are ignored in text fields and with Ctrl', async () => {
    for (const id of ['text', 'select']) await press('m', at(id));
    await press('s', document.body, { ctrlKey: true });
    await press('m', document.body, { repeat: true });
    expect(posts).toEqual([]);
    await press('m', at('slider'));
    expect(posts).toHaveLength(1);
  });

  it('can be switched off, except the question mark', async () => {
    await press('?');
    const listed = [...document.querySelectorAll('dialog kbd')].map((it) => it.textContent);
    expect(listed).toEqual(KEYS.map(([key]) => key));
    await act(async () => {
      document.getElementById('keys-on')?.click();
      await Promise.resolve();
    });
    await press('?');
    expect(document.querySelector('dialog')).toBeNull();
    await press('m');
    expect(posts).toEqual([]);
    await press('?');
    expect(document.querySelector('dialog')).not.toBeNull();
  });
});

describe('neighbour', () => {
  it('wraps around at both ends', () => {
    const names = ['a', 'b', 'c'];
    expect([neighbour(names, 'c', 1), neighbour(names, 'a', -1), neighbour(names, 'gone', 1), neighbour([], 'a', 1)]).toEqual(['a', 'c', 'a', undefined]);
  });
});
