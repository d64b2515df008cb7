// Tests that two tabs do not overwrite each other's changes. If both tabs change the same setting,
// the first change wins.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import { nested } from './settings';
import { SettingsStore } from './store';

const config = (bpm: number, port: number) => ({
  features: { bpf: true, audio: true, midi: false, osc: false, fake: false },
  music: { bpm, key_midi: 50, scale: 'dorian', preset: 'ambient', density: 0.5, smoothing: 0.5 },
  audio: { device: '', master_gain: 0.5, loudness_lufs: -23 },
  midi: { port: 'khor', channel: 1, clock: false },
  bpf: { cgroup: '', tgid_allow: [], tgid_deny: [] },
  osc: { host: '127.0.0.1', port: 9000, targets: [], receive: { enabled: false, port } },
  quiet: { enabled: false, from: '22:00', to: '07:00' },
  desktop: { bus: false, mpris: false, notifications: false },
  site: { name: '', host: null, mode: 'ensemble' },
});

let engine: ReturnType<typeof config>;
let version: number;
let store: SettingsStore;

function answer(_url: string, init?: RequestInit): Promise<Response> {
  const json = (status: number, body: unknown) => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { etag: `"${version}"` } }));
  if (init?.method !== 'PATCH') return json(200, engine);
  const match = (init.headers as Record<string, string>)['if-match'];
  if (match !== `"${version}"`) return json(412, { ok: false, error: 'the settings were changed elsewhere' });
  const part = JSON.parse(typeof init.body === 'string' ? init.body : '{}') as { music?: object; osc?: { receive?: object } };
  engine = { ...engine, music: { ...engine.music, ...part.music }, osc: { ...engine.osc, receive: { ...engine.osc.receive, ...part.osc?.receive } } };
  version += 1;
  return json(200, { ...engine, ok: true, restart_required: false });
}

/** Changes the settings in the same way as another browser tab. */
function changeInOtherTab(next: ReturnType<typeof config>) {
  engine = next;
  version += 1;
}

const settle = () => vi.advanceTimersByTimeAsync(1000);

beforeEach(async () => {
  vi.useFakeTimers();
  engine = config(110, 9001);
  version = 1;
  store = new SettingsStore(new Client(answer));
  await store.refresh();
});

describe('a change in another tab', () => {
  it('is kept beside an edit of another setting', async () => {
    changeInOtherTab(config(110, 9500));
    store.edit('music.bpm', 96);
    await settle();
    expect([engine.music.bpm, engine.osc.receive.port]).toEqual([96, 9500]);
    expect(store.state.get().values?.['osc.receive.port']).toBe(9500);
    expect(store.state.get().errors).toEqual({});
  });

  it('wins over a later edit of the same setting', async () => {
    changeInOtherTab(config(70, 9001));
    store.edit('music.bpm', 96);
    await settle();
    expect(engine.music.bpm).toBe(70);
    expect(store.state.get().values?.['music.bpm']).toBe(70);
    expect(store.state.get().errors['music.bpm']).toMatch(/another client changed/);
  });
});

describe('edits of one tab', () => {
  it('never conflict with each other', async () => {
    store.edit('music.bpm', 96, 0);
    store.edit('osc.receive.port', 9600, 0);
    store.edit('music.density', 0.7, 0);
    await settle();
    store.edit('music.bpm', 97, 0);
    await settle();
    expect([engine.music.bpm, engine.music.density, engine.osc.receive.port]).toEqual([97, 0.7, 9600]);
    expect(store.state.get().errors).toEqual({});
  });

  it('are sent as nested objects', () => expect(nested('osc.receive.port', 9001)).toEqual({ osc: { receive: { port: 9001 } } }));
});
