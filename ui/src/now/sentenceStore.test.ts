// Tests that the sentence changes slowly enough to read, and that it compares rates only with a
// learned baseline.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Client } from '../api/client';
import type { Health } from '../api/types';
import { HealthStore } from '../health/store';
import type { LaneSignal, Moment } from '../live/state';
import { LiveStore } from '../live/store';
import { plain } from './sentence';
import { SentenceStore } from './sentenceStore';

const RX: LaneSignal = { level: 1, deviation: 5, surprise: 0, rate: 20e6, baseline: 5e3, unit: 'B/s', label: 'received', family: 'network', grain: 20_000, available: true, reason: null };

let live: LiveStore;
let health: HealthStore;
let sentence: SentenceStore;

beforeEach(() => {
  vi.useFakeTimers();
  const client = new Client(() => Promise.reject(new Error('not asked')));
  live = new LiveStore(client);
  health = new HealthStore(client);
  sentence = new SentenceStore(live, health);
  sentence.start();
});

afterEach(() => {
  vi.useRealTimers();
});

const arrives = (ts_ms: number, rate: number) => {
  const moment = { ts_ms, signals: { rx: { ...RX, rate } }, read: null, written: null } as unknown as Moment;
  live.recent.push(moment);
  live.text.set(moment);
};
const text = () => plain(sentence.current.get()?.parts ?? []);

it('the sentence changes at most every two seconds', () => {
  expect(text()).toBe('');
  arrives(10_000, 20e6);
  expect(text()).toBe('Receiving 20 MB/s.');
  arrives(10_300, 0);
  expect(text()).toBe('Receiving 20 MB/s.');
  vi.advanceTimersByTime(2000);
  arrives(14_000, 0);
  expect(text()).toBe('Quiet.');
});

it('the sentence compares rates only with a learned baseline', () => {
  health.state.set({ baseline: { learnt: 0.9, learning: false, frozen: false } } as unknown as Health);
  arrives(10_000, 20e6);
  expect(text()).toBe('Receiving 20 MB/s, 30 times the usual.');
});
