// Tests that the texts around the sentence describe the machine, the source and the sound.
import { describe, expect, it } from 'vitest';
import type { Controls, Health, Silence } from '../api/types';
import { partRows } from '../machine/parts';
import { badgeOf, scopeTrouble, soundState, statusLine } from './status';

export const HEALTH: Health = {
  ts_ms: 0,
  version: '0.1.0',
  config_path: '/c.json',
  host: { name: 'atlas', kernel: '6.18.0', cpus: 2 },
  source: { kind: 'collector', ok: true, interval_ms: 20, detail: 'collector 0.1.0', error: null, fix: null },
  scope: { whose: 'the whole machine', is_machine: true, cgroups: [], ok: true, error: null, fix: null },
  probes: [
    { name: 'execs', available: true, reason: null },
    { name: 'cpu', available: false, reason: 'no PSI' },
  ],
  audio: { enabled: true, ok: true, backend: 'pulseaudio', device: 'Null Output', error: null, fix: null, sample_rate_hz: 48000, muted: false, voices: 0, voice_limit: 24, restarts: 0, xruns: null, latency_ms: 48, priority: null, callback_load: 0, peak: 0, dropped_notes: 0 },
  recording: { recording: false, file: null, seconds: 0, error: null, fix: null, lost_blocks: 0, lost_seconds: 0 },
  listen: { listeners: 0, at_most: 32 },
  baseline: { learnt: 1, learning: false, frozen: false },
  presets: { ok: true, folder: '/p', problems: [] },
  bpf: { enabled: true, ok: true, error: null, fix: null, err_code: 0 },
  midi: { enabled: false, ok: false, port: 'khor', channel: 1, error: null, fix: null },
  osc: { enabled: true, ok: false, host: '127.0.0.1', port: 9000, targets: [], receive: { enabled: false, ok: false, error: null, fix: null, port: 9001, messages: 0, refused: 0, last_refusal: null }, error: 'connection refused', fix: 'start the receiver' },
  desktop: {
    ...{ enabled: true, ok: true, error: null, fix: null },
    bus: { enabled: false, ok: false, error: null, fix: null },
    mpris: { enabled: true, ok: true, error: null, fix: null },
    notifications: { enabled: true, ok: true, error: null, fix: null },
  },
  config: { ok: true, error: null, warnings: [] },
  missed: { events: 0, reason: null },
  time: { zone: 'UTC', ok: true, error: null, fix: null },
  features: { fake: false },
};

describe('statusLine', () => {
  it('names the machine, probes and source', () => {
    expect(statusLine(HEALTH)).toBe('atlas · kernel 6.18.0 · 1 of 2 probes work · data from the collector every 20 ms');
  });

  it('counts probes only with the collector', () => {
    const of = (kind: 'proc' | 'demo') => statusLine({ ...HEALTH, source: { ...HEALTH.source, kind } });
    expect(of('proc')).toMatch(/1 of 2 counters in \/proc/);
    expect(of('proc') + of('demo')).not.toMatch(/probes/);
  });

  it('says that a site is not this machine', () => {
    const source = { ...HEALTH.source, kind: 'site' as const, detail: 'site home at nats://rack:4222' };
    expect(statusLine({ ...HEALTH, probes: [], source })).toMatch(/many machines: site home/);
    expect(partRows({ ...HEALTH, source })[0]).toMatchObject({ name: 'Source', state: 'ok' });
  });

  it('says that a demo is not this machine', () => {
    expect(statusLine({ ...HEALTH, source: { ...HEALTH.source, kind: 'demo' } })).toMatch(/synthetic.*not this machine/);
    const detail = "capture x.khor of Linux 6.1.0, 8 CPUs, not this machine's current data";
    expect(statusLine({ ...HEALTH, source: { ...HEALTH.source, kind: 'capture', detail } })).toMatch(/capture x\.khor.*not this machine's current data/);
  });
});

describe('the badge', () => {
  it('names a source that is not this machine', () => {
    const of = (part: Partial<Health>) => badgeOf({ ...HEALTH, ...part })?.text;
    const scope = { ...HEALTH.scope, whose: 'x.service', is_machine: false };
    expect(of({})).toBeUndefined();
    expect(of({ source: { ...HEALTH.source, kind: 'demo' } })).toBe('Demo');
    expect(of({ scope })).toBe('x.service');
    expect(of({ scope, source: { ...HEALTH.source, kind: 'site' } })).toBe('Site');
  });
});

describe('scopeTrouble', () => {
  it('explains a scope that does not exist', () => {
    const error = 'cannot find x.service: there is no cgroup /system.slice/x.service now';
    const health: Health = { ...HEALTH, scope: { whose: 'x.service', is_machine: false, cgroups: [], ok: false, error, fix: 'start it' } };
    expect(scopeTrouble(HEALTH)).toBeNull();
    expect(scopeTrouble(health)).toBe(`${error}.`);
    expect(partRows(health).find(({ name }) => name === 'Scope')).toEqual({ name: 'Scope', state: 'problem', detail: error, fix: 'start it' });
  });

  it('says that there is no source', () => {
    const health: Health = { ...HEALTH, source: { ...HEALTH.source, kind: null, ok: false, error: 'lost' } };
    expect(statusLine(health)).toMatch(/no source yet: lost/);
    expect(partRows(health)[0]?.state).toBe('problem');
  });
});

const CONTROLS: Controls = { bpm: 110, key_midi: 50, density: 0.5, smoothing: 0.5, preset: 'ambient', scale: 'dorian', master_gain: 0.5, muted: false, silence: null, snoozed_until_ts_ms: null, quiet_until_ts_ms: null };
const UNTIL = new Date(2026, 0, 1, 7, 5).getTime();
const silent = (silence: Silence): Controls => ({ ...CONTROLS, muted: true, silence });

describe('soundState', () => {
  it('is null while sound plays', () => expect(soundState(HEALTH, CONTROLS)).toBeNull());
  it('says that khor is muted', () => expect(soundState(HEALTH, silent({ reason: 'muted', until: null }))?.text).toBe('Muted.'));
  it('names the end of a snooze', () => expect(soundState(HEALTH, silent({ reason: 'snoozed', until: UNTIL }))?.text).toBe('Snoozed until 07:05.'));
  it('names the end of quiet hours', () => expect(soundState(HEALTH, silent({ reason: 'quiet_hours', until: UNTIL }))?.text).toBe('Quiet hours until 07:05.'));
  it('says that the volume is 0', () => expect(soundState(HEALTH, { ...CONTROLS, master_gain: 0 })).toEqual({ text: 'The volume is 0.', tone: 'dim' }));
  it('puts errors before a mute', () => {
    const broken = { ...HEALTH, audio: { ...HEALTH.audio, ok: false, error: 'no output device.' } };
    expect(soundState(broken, silent({ reason: 'muted', until: null }))).toEqual({ text: 'No sound: no output device.', tone: 'bad' });
  });
});

describe('partRows', () => {
  it('distinguishes working, disabled and failing parts', () => {
    const states = Object.fromEntries(partRows(HEALTH).map((part) => [part.name, part.state]));
    expect(states).toEqual({ Source: 'ok', Scope: 'ok', 'Kernel probes': 'ok', Sound: 'ok', MIDI: 'disabled', OSC: 'problem', Desktop: 'ok', Presets: 'ok', Config: 'ok' });
    expect(partRows(HEALTH).find((part) => part.name === 'Desktop')?.detail).toBe('media keys, notifications');
  });

  it('reports problems of presets and of the time zone', () => {
    const problem = 'b.toml: the preset name mine is already used by a.toml, whose preset plays; choose another name';
    const health = { ...HEALTH, presets: { ...HEALTH.presets, ok: false, problems: [problem] }, time: { zone: 'UTC', ok: false, error: 'TZ=X is not a known time zone', fix: 'unset TZ' } };
    expect(partRows(health).find((part) => part.name === 'Presets')).toMatchObject({ state: 'problem', detail: problem });
    expect(partRows(health).find((part) => part.name === 'Time zone')).toMatchObject({ state: 'problem', fix: 'unset TZ' });
  });

  it('shows missed events if there are any', () => {
    const missed = (reason: string | null) => partRows({ ...HEALTH, missed: { events: 11, reason } }).find((part) => part.name === 'Missed events');
    expect(missed(null)).toBeUndefined();
    expect(missed('khor missed 11 events')).toMatchObject({ state: 'ok', detail: 'khor missed 11 events' });
  });

  it('has the error and the fix', () => {
    expect(partRows(HEALTH).find((part) => part.name === 'OSC')).toMatchObject({ detail: 'connection refused', fix: 'start the receiver' });
  });
});
