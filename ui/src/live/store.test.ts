// The live store catches up when the stream opens, says when the engine is gone, and finds it again.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import type { Metrics, MetricsWithHistory } from '../api/types';
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

const event = (ts_ms: number): Metrics => ({
  ts_ms,
  rates: { blk_r_kbs: 2, blk_w_kbs: null },
  controls: { bpm: 110, key_midi: 50, density: 0.5, smoothing: 0.5, preset: 'ambient', scale: 'dorian', master_gain: 0.5, muted: false },
  signals: {
    rx: { level: 0.4, deviation: 2.1, baseline: 20, rate: 100, unit: 'B/s', label: 'received', family: 'network', available: true, reason: null },
    cpu: { level: null, deviation: null, baseline: null, rate: null, unit: 'ratio', label: 'waiting on cpu', family: 'kernel', available: false, reason: 'no PSI' },
  },
  notes: [],
  cues: [],
  music: { bar: 1, step: 0, step_ms: 136 },
});
const HISTORY: MetricsWithHistory = { ...event(9800), history: [{ ts_ms: 9600, rates: { rx: 10 } }] };

let live: LiveStore;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
  FakeSource.all = [];
  live = new LiveStore(new Client(() => Promise.resolve(new Response(JSON.stringify(HISTORY)))));
  stop = live.start();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const send = (ts: number) => FakeSource.last.send('message', JSON.stringify(event(ts)));

describe('LiveStore', () => {
  it('fetches what came before the first event', async () => {
    send(10_000);
    await vi.advanceTimersByTimeAsync(50);
    expect(live.link.get()).toBe('live');
    expect(live.session.get()).toBe(1);
    expect(live.history.times).toEqual([9600, 10_000]);
  });

  it('keeps unknown apart from nothing', () => {
    send(10_000);
    expect(live.history.lane('cpu').rates).toEqual([null]);
    expect(live.recent.means()).toEqual({ read: 2000, write: null, rx: 100, cpu: null });
  });

  it('survives an event that is not JSON', () => {
    FakeSource.last.send('metrics', '{"ts');
    send(10_000);
    expect(live.link.get()).toBe('live');
  });

  it('says when the engine is gone and tries again until it is back', async () => {
    send(10_000);
    await vi.advanceTimersByTimeAsync(50);
    FakeSource.last.send('error');
    expect(live.link.get()).toBe('lost');
    expect(FakeSource.last.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(400);
    expect(FakeSource.all).toHaveLength(2);
    FakeSource.last.send('error');
    await vi.advanceTimersByTimeAsync(800);
    expect(FakeSource.all).toHaveLength(3);
    send(12_000);
    await vi.advanceTimersByTimeAsync(50);
    expect(live.link.get()).toBe('live');
    expect(live.session.get()).toBe(2);
  });

  it('drops history and cues when the scope changes', async () => {
    send(10_000);
    send(10_400);
    await vi.advanceTimersByTimeAsync(50);
    expect(live.history.times).toEqual([9600, 10_000, 10_400]);
    live.cues.add([{ seq: 1, ts_ms: 9000, kind: 'oom', pid: 7, comm: 'old', detail: null }]);
    expect(live.cues.list.get()).toHaveLength(1);
    live.beginAnew();
    await vi.advanceTimersByTimeAsync(50);
    expect(live.history.times).toEqual([9600]);
    expect(live.cues.list.get()).toEqual([]);
    expect(live.recent.means()).toEqual({});
  });

  it('asks for a frame only where something is due', async () => {
    const painted: string[] = [];
    let due = false;
    live.onDue(() => due, () => painted.push('now'));
    live.onDue(() => false, () => painted.push('never'));
    send(10_000);
    await vi.advanceTimersByTimeAsync(50);
    expect(painted).toEqual([]);
    due = true;
    send(10_100);
    send(10_200);
    await vi.advanceTimersByTimeAsync(50);
    expect(painted).toEqual(['now']);
  });

  it('takes a silent stream for a lost one', async () => {
    send(10_000);
    await vi.advanceTimersByTimeAsync(4100);
    expect(live.link.get()).toBe('lost');
  });
});
