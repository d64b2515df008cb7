// Tests that the history stores five minutes in order, with gaps for missing values.
import { describe, expect, it } from 'vitest';
import { History, pointsOf, WINDOW_MS, type HistoryPoint } from './history';

const point = (ts_ms: number, rx: number | null = 50): HistoryPoint => ({ ts_ms, rates: { rx } });
const run = (from: number, count: number) => Array.from({ length: count }, (_, i) => point(from + i * 200));

describe('History', () => {
  it('stores every second event', () => {
    const history = new History();
    const taken = Array.from({ length: 20 }, (_, i) => history.push(point(1000 + i * 100)));
    expect(taken.filter(Boolean)).toHaveLength(10);
  });

  it('is bounded, and has the whole window', () => {
    const history = new History();
    for (const it of run(0, 5000)) history.push(it);
    expect(history.times.length).toBeLessThan(1600);
    expect((history.lastTime ?? 0) - (history.times[0] ?? 0)).toBeGreaterThanOrEqual(WINDOW_MS - 200);
    expect(history.lane('rx').rates).toHaveLength(history.times.length);
  });

  it('distinguishes missing values from zero', () => {
    const history = new History();
    history.scale([{ name: 'rx', grain: 20_000 }, { name: 'mem', grain: 0.02 }]);
    history.push(point(0, null));
    history.push({ ts_ms: 200, rates: { rx: 0, mem: 0.02 } });
    expect(history.lane('rx').rates).toEqual([null, 0]);
    expect(history.lane('mem').rates).toEqual([null, 0.02]);
    expect(history.lane('rx').heights).toEqual([null, 0]);
    expect(history.lane('mem').heights).toEqual([null, 1]);
  });

  it('computes heights on each lane’s scale', () => {
    const history = new History();
    history.push(point(0, 3));
    expect(history.lane('rx').heights).toEqual([2]);
    history.scale([{ name: 'rx', grain: 3 }]);
    expect(history.lane('rx').heights).toEqual([1]);
  });

  it('replaces points by the engine’s history', () => {
    const history = new History();
    history.push(point(1000, 90));
    history.push(point(1400, 90));
    history.load(run(200, 6)); // Points at 200 to 1200 ms.
    expect(history.times).toEqual([200, 400, 600, 800, 1000, 1200, 1400]);
    expect(history.lane('rx').rates.at(-1)).toBe(90);
  });

  it('has a gap after a restart', () => {
    const history = new History();
    for (const it of run(0, 5)) history.push(it);
    history.load(run(10_000, 2));
    expect(history.times).toEqual([0, 200, 400, 600, 800, 801, 10_000, 10_200]);
    expect(history.lane('rx').rates[5]).toBeNull();
  });

  it('is cleared when the clock is set back', () => {
    const history = new History();
    history.push(point(100_000));
    history.push(point(10_000));
    expect(history.times).toEqual([10_000]);
  });

  it('shows 30 seconds to five minutes', () => {
    const history = new History();
    expect(history.windowMs).toBe(30_000);
    history.load(run(0, 300));
    expect(history.windowMs).toBeGreaterThanOrEqual(59_800);
    expect(history.windowMs).toBeLessThan(59_800 * 1.06);
    for (const it of run(60_000, 3000)) history.push(it);
    expect(history.windowMs).toBe(WINDOW_MS);
  });

  it('finds the point under the cursor', () => {
    const history = new History();
    history.load(run(0, 10));
    expect(history.nearest(390)).toBe(2);
    expect(history.nearest(90_000)).toBeNull();
  });

  it('converts the lists of the API', () => {
    expect(pointsOf({ ts_ms: [200, 400], rates: { rx: [1, null], mem: [0, 0.5] } })).toEqual([
      { ts_ms: 200, rates: { rx: 1, mem: 0 } },
      { ts_ms: 400, rates: { rx: null, mem: 0.5 } },
    ]);
  });
});
