// Tests that the live store fetches the history when the stream opens, reports a lost engine, and
// reconnects.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import type { Controls, HistoryColumns, Lane, StreamEvent } from '../api/types';
import { DISK_READ, DISK_WRITE } from './recent';
import { LiveStore } from './store';

class FakeSource {
  static all: FakeSource[] = [];
  closed = false;
  private readonly listeners: Record<string, ((event: { data: string }) => void)[]> = {};

  constructor(readonly url: string) {
    FakeSource.all.push(this);
  }

  static get last(): FakeSource {
    const source = FakeSource.all.at(-1);
    if (source === undefined) throw new Error('no stream was opened');
    return source;
  }

  addEventListener(type: string, listener: (event: { data: string }) => void): void {
    (this.listeners[type] ??= []).push(listener);
  }

  send(type: string, data = ''): void {
    for (const listener of this.listeners[type] ?? []) listener({ data });
  }

  close(): void {
    this.closed = true;
  }
}

const CONTROLS: Controls = {
  bpm: 110, key_midi: 50, density: 0.5, smoothing: 0.5, preset: 'ambient', scale: 'dorian', master_gain: 0.5, muted: false,
  silence: null, snoozed_until_ts_ms: null, quiet_until_ts_ms: null,
};
const LANES: Lane[] = [
  { name: 'rx', unit: 'B/s', grain: 20_000, label: 'received', family: 'network', available: true, reason: null },
  { name: 'cpu', unit: 'ratio', grain: 0.02, label: 'waiting on cpu', family: 'kernel', available: false, reason: 'no PSI' },
];
const HISTORY: HistoryColumns = { ts_ms: [9600], rates: { rx: [10] }, notes: [] };

let live: LiveStore;
let stop: () => void;
let requests: string[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
  FakeSource.all = [];
  requests = [];
  live = new LiveStore(
    new Client((url) => {
      requests.push(url);
      return Promise.resolve(new Response(JSON.stringify(HISTORY)));
    }),
  );
  stop = live.start();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const change = (event: StreamEvent) => FakeSource.last.send('change', JSON.stringify(event));
const greet = (started_ts_ms = 1, version = '0.1.0') => {
  change({ type: 'greeting', version, started_ts_ms });
  change({ type: 'controls', ...CONTROLS });
  change({ type: 'lanes', lanes: LANES });
};
const values = (ts_ms: number) =>
  change({
    type: 'values', ts_ms, level: [0.4, null], deviation: [2.1, null], surprise: [0, null], rate: [100, null], baseline: [20, null],
    disk_read_bytes_s: 2000, disk_written_bytes_s: null,
  });

describe('LiveStore', () => {
  it('fetches the history before the first event', async () => {
    greet();
    values(10_000);
    expect(live.link.get()).toBe('live');
    await vi.advanceTimersByTimeAsync(600);
    expect(live.session.get()).toBe(1);
    expect(live.history.times).toEqual([9600, 10_000]);
    expect(requests).toEqual(['/api/history']);
  });

  it('distinguishes unknown from zero', () => {
    greet();
    values(10_000);
    expect(live.history.lane('cpu').rates).toEqual([null]);
    expect(live.recent.means()).toEqual({ [DISK_READ]: 2000, [DISK_WRITE]: null, rx: 100, cpu: null });
    expect(live.text.get()?.signals.cpu).toMatchObject({ level: null, available: false, reason: 'no PSI' });
  });

  it('ignores malformed and unknown events', () => {
    FakeSource.last.send('change', '{"ts');
    FakeSource.last.send('change', '{"type":"of a newer engine","lanes":7}');
    greet();
    values(10_000);
    expect(live.link.get()).toBe('live');
  });

  it('shows no values of old lanes', () => {
    greet();
    values(10_000);
    change({ type: 'lanes', lanes: LANES.slice(0, 1) });
    values(10_300);
    expect(live.text.get()?.ts_ms).toBe(10_000);
  });

  it('shows changed controls at once', () => {
    greet();
    values(10_000);
    change({ type: 'controls', ...CONTROLS, muted: true });
    expect(live.text.get()?.controls.muted).toBe(true);
  });

  it('reports a lost engine, and reconnects', async () => {
    greet();
    values(10_000);
    await vi.advanceTimersByTimeAsync(600);
    FakeSource.last.send('error');
    expect(live.link.get()).toBe('lost');
    expect(FakeSource.last.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(400);
    expect(FakeSource.all).toHaveLength(2);
    FakeSource.last.send('error');
    await vi.advanceTimersByTimeAsync(800);
    expect(FakeSource.all).toHaveLength(3);
    greet();
    values(12_000);
    await vi.advanceTimersByTimeAsync(600);
    expect(live.link.get()).toBe('live');
    expect(live.session.get()).toBe(2);
    expect(requests.at(-1), 'only the missing history').toBe('/api/history?since_ts_ms=10000');
    expect(live.updated.get()).toBe(false);
  });

  it('recognises a restarted and an updated engine', () => {
    const note = (seq: number) => ({ seq, ts_ms: seq, midi: 60, velocity: 0.5, duration_s: 1, role: 'bass', layer: 'bed', channel: 1, signal: null }) as const;
    greet(1);
    change({ type: 'notes', notes: [note(7), note(8)] });
    greet(1);
    change({ type: 'notes', notes: [note(8), note(9)] });
    greet(2, '0.2.0');
    change({ type: 'notes', notes: [note(1)] });
    expect(live.notes.list.map(({ seq }) => seq)).toEqual([-1, -1, -1, 1]);
    expect(live.updated.get()).toBe(true);
  });

  it('drops history and cues when the scope changes', async () => {
    greet();
    values(10_000);
    values(10_400);
    await vi.advanceTimersByTimeAsync(600);
    expect(live.history.times).toEqual([9600, 10_000, 10_400]);
    live.cues.add([{ seq: 1, ts_ms: 9000, kind: 'oom', host: null, pid: 7, comm: 'old', detail: null }]);
    expect(live.cues.list.get()).toHaveLength(1);
    live.dropHistory();
    await vi.advanceTimersByTimeAsync(600);
    expect(live.history.times).toEqual([9600]);
    expect(live.cues.list.get()).toEqual([]);
    expect(live.recent.means()).toEqual({});
  });

  it('paints only what is due', async () => {
    const painted: string[] = [];
    let due = false;
    live.onDue(() => due, () => painted.push('now'));
    live.onDue(() => false, () => painted.push('never'));
    greet();
    values(10_000);
    await vi.advanceTimersByTimeAsync(50);
    expect(painted).toEqual([]);
    due = true;
    values(10_100);
    values(10_200);
    await vi.advanceTimersByTimeAsync(50);
    expect(painted).toEqual(['now']);
  });

  it('reports a stream without events as lost', async () => {
    greet();
    values(10_000);
    await vi.advanceTimersByTimeAsync(4100);
    expect(live.link.get()).toBe('lost');
  });
});
