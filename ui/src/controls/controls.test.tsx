// Tests that controls send edits and show changes from other tabs. A rejected edit is reverted, and
// its error is shown.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import type { Controls } from '../api/types';
import { StoresContext } from '../app/context';
import { makeStores, type Stores } from '../app/stores';
import { MusicPanel } from '../compose/MusicPanel';

const CONFIG = {
  bpf: { cgroup: '', tgid_allow: [], tgid_deny: [] },
  features: { bpf: true, audio: true, midi: false, osc: false, fake: false },
  music: { bpm: 110, key_midi: 50, scale: 'dorian', preset: 'ambient', density: 0.5, smoothing: 0.5 },
  audio: { device: '', master_gain: 0.5, loudness_lufs: -23 },
  midi: { port: 'khor', channel: 1, clock: false },
  osc: { host: '127.0.0.1', port: 9000, targets: [], receive: { enabled: false, port: 9001 } },
  quiet: { enabled: false, from: '22:00', to: '07:00' },
  desktop: { bus: false, mpris: false, notifications: false },
  site: { name: '', host: null, mode: 'ensemble' },
};
const CONTROLS: Controls = { ...CONFIG.music, scale: 'dorian', master_gain: 0.5, muted: false, silence: null, snoozed_until_ts_ms: null, quiet_until_ts_ms: null };

let stores: Stores;
let root: Root;
let patches: unknown[];
let refuse: boolean;

const input = (id: string) => document.getElementById(id) as HTMLInputElement;

function answer(url: string, init?: RequestInit): Promise<Response> {
  const json = (status: number, body: unknown) => Promise.resolve(new Response(JSON.stringify(body), { status }));
  if (url === '/api/presets') return json(200, { presets: [{ name: 'ambient', hint: 'Slow pads.' }], current: 'ambient' });
  if (url === '/api/audio/devices') return json(200, { devices: [] });
  if (init?.method !== 'PATCH') return json(200, CONFIG);
  if (typeof init.body === 'string') patches.push(JSON.parse(init.body));
  if (refuse) return json(400, { ok: false, error: 'music.bpm: 999 is outside 20..300' });
  return json(200, { ...CONFIG, music: { ...CONFIG.music, bpm: 96 }, ok: true, restart_required: false });
}

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  vi.useFakeTimers();
  patches = [];
  refuse = false;
  stores = makeStores(new Client(answer));
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(input('root'));
  await act(async () => {
    root.render(
      <StoresContext value={stores}>
        <MusicPanel />
      </StoresContext>,
    );
    await stores.settings.reload();
  });
});

afterEach(() => {
  act(() => root.unmount());
  vi.useRealTimers();
});

const edit = (value: number) =>
  act(async () => {
    stores.settings.edit('music.bpm', value);
    await Promise.resolve();
  });
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

describe('SettingsStore', () => {
  it('receives the mute with the first event', async () => {
    const fresh = makeStores(new Client(answer)).settings;
    fresh.follow({ ...CONTROLS, muted: true, silence: { reason: 'muted', until: null } });
    await fresh.reload();
    expect(fresh.state.get().values?.muted).toBe(true);
  });
});

describe('MusicPanel', () => {
  it('shows the settings with labels', () => {
    expect(input('bpm').value).toBe('110');
    expect(input('scale').value).toBe('dorian');
    for (const field of document.querySelectorAll('input[id], select')) expect(document.querySelector(`label[for="${field.id}"]`)).not.toBeNull();
  });

  it('shows edits at once, and sends the last', async () => {
    await edit(90);
    await edit(93);
    await edit(96);
    expect(input('bpm').value).toBe('96');
    expect(patches).toEqual([]);
    await pass(1000);
    expect(patches).toEqual([{ music: { bpm: 96 } }]);
    expect(input('bpm').value).toBe('96');
  });

  it('reverts a rejected value, and shows the error', async () => {
    refuse = true;
    await edit(999);
    await pass(1000);
    expect(input('bpm').value).toBe('110');
    expect(document.getElementById('bpm-error')?.textContent).toBe('music.bpm: 999 is outside 20..300');
    expect(input('bpm').getAttribute('aria-invalid')).toBe('true');
  });

  it('shows changes of other tabs', async () => {
    await act(async () => {
      stores.settings.follow({ ...CONTROLS, bpm: 70 });
      await Promise.resolve();
    });
    expect(input('bpm').value).toBe('70');
    await edit(96);
    await act(async () => {
      stores.settings.follow({ ...CONTROLS, bpm: 71 });
      await Promise.resolve();
    });
    expect(input('bpm').value).toBe('96');
  });
});
