// Tests that the sentence describes the rates, the most serious first, and that small changes of
// the rates do not change it.
import { describe, expect, it } from 'vitest';
import { DISK_READ, DISK_WRITE } from '../live/recent';
import { plain, sentenceOf } from './sentence';

const text = (rates: Record<string, number | null>, previous?: string[]) => plain(sentenceOf(rates, previous).parts);

describe('sentenceOf', () => {
  it('is quiet when nothing happens', () => {
    expect(text({ rx: 100, tx: 0, exec: 0.2, mem: 0 })).toBe('Quiet.');
  });

  it('says when there is no data', () => {
    expect(text({})).toBe('No data yet.');
    expect(text({ rx: null, mem: null })).toBe('No data yet.');
  });

  it('names activities with their rates', () => {
    expect(text({ rx: 12e6, [DISK_WRITE]: 40e6 })).toBe('Writing 40 MB/s to disk and receiving 12 MB/s.');
    expect(text({ exec: 40, fork: 400 })).toBe('Starting 40 programs a second.');
    expect(text({ fork: 400 })).toBe('Creating 400 tasks a second.');
    expect(text({ local: 12e6, rx: 2e6 })).toBe('Moving 12 MB/s inside the machine and receiving 2 MB/s.');
  });

  it('gives no factor if the baseline is zero', () => {
    const text = (zero: string[]) => plain(sentenceOf({ exec: 40 }, [], { exec: 12 }, new Set(zero)).parts);
    expect(text(['exec'])).toBe('Starting 40 programs a second, usually none.');
    expect(text(['rx'])).toBe('Starting 40 programs a second, over a thousand times the usual.');
  });

  it('uses the singular for 1', () => {
    expect(text({ retx: 1 }, ['little retx'])).toBe('Low activity: resending 1 lost segment a second.');
  });

  it('puts pressure before traffic', () => {
    expect(text({ rx: 900e6, mem: 0.12 })).toBe('Waiting on memory 12 % of the time and receiving 900 MB/s.');
  });

  it('names at most three activities', () => {
    expect(sentenceOf({ rx: 9e6, tx: 8e6, [DISK_WRITE]: 9e6, [DISK_READ]: 9e6, exec: 100, mem: 0.5 }).keys).toHaveLength(3);
  });

  it('describes low activity', () => {
    expect(text({ rx: 240_000 })).toBe('Low activity: receiving 240 kB/s.');
  });

  it('keeps an activity until it clearly ends', () => {
    expect(sentenceOf({ rx: 0.8e6 }, ['rx']).keys).toEqual(['rx']);
    expect(sentenceOf({ rx: 0.8e6 }, []).keys).toEqual(['little rx']);
    expect(sentenceOf({ rx: 0.6e6 }, ['rx']).keys).toEqual(['little rx']);
  });

  it('compares nothing without a baseline', () => {
    expect(text({ rx: 12e6, csw: 90_000, irq: 90_000 })).not.toMatch(/usual|normal/i);
  });

  it('compares the first activity with its baseline', () => {
    const text = (octaves: number) => plain(sentenceOf({ rx: 12e6, exec: 40, csw: 90_000 }, [], { rx: octaves, exec: 9 }).parts);
    expect(text(2)).toBe('Receiving 12 MB/s, 4 times the usual, and starting 40 programs a second.');
    expect(text(5)).toMatch(/, 30 times the usual, and/);
    expect(text(12)).toMatch(/over a thousand times the usual/);
    expect(text(0.5)).toBe('Receiving 12 MB/s, starting 40 programs a second and switching tasks 90 000 times a second.');
  });
});
