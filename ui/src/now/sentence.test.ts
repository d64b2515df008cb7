// The sentence says what the rates say, in order of gravity, and does not flutter.
import { describe, expect, it } from 'vitest';
import { DISK_READ, DISK_WRITE } from '../live/recent';
import { plain, tell } from './sentence';

const say = (rates: Record<string, number | null>, previous?: string[]) => plain(tell(rates, previous).parts);

describe('tell', () => {
  it('is quiet when nothing happens', () => {
    expect(say({ rx: 100, tx: 0, exec: 0.2, mem: 0 })).toBe('Quiet.');
  });

  it('claims nothing when nothing is known', () => {
    expect(say({})).toBe('Nothing is known yet.');
    expect(say({ rx: null, mem: null })).toBe('Nothing is known yet.');
  });

  it('names what goes on with its figure', () => {
    expect(say({ rx: 12e6, [DISK_WRITE]: 40e6 })).toBe('Writing 40 MB/s to disk and receiving 12 MB/s.');
    expect(say({ exec: 40, fork: 400 })).toBe('Starting 40 programs a second.');
    expect(say({ fork: 400 })).toBe('Creating 400 tasks a second.');
    expect(say({ local: 12e6, rx: 2e6 })).toBe('Moving 12 MB/s inside the machine and receiving 2 MB/s.');
  });

  it('gives no factor if the baseline is zero', () => {
    const said = (news: string[]) => plain(tell({ exec: 40 }, [], { exec: 12 }, new Set(news)).parts);
    expect(said(['exec'])).toBe('Starting 40 programs a second, where there is usually nothing.');
    expect(said(['rx'])).toBe('Starting 40 programs a second, over a thousand times the usual.');
  });

  it('uses the singular for one', () => {
    expect(say({ retx: 1 }, ['little retx'])).toBe('Little going on: resending 1 lost segment a second.');
  });

  it('puts pressure first, however much traffic there is', () => {
    expect(say({ rx: 900e6, mem: 0.12 })).toBe('Waiting on memory 12 % of the time and receiving 900 MB/s.');
  });

  it('names at most three things', () => {
    expect(tell({ rx: 9e6, tx: 8e6, [DISK_WRITE]: 9e6, [DISK_READ]: 9e6, exec: 100, mem: 0.5 }).keys).toHaveLength(3);
  });

  it('speaks of a little going on between quiet and busy', () => {
    expect(say({ rx: 240_000 })).toBe('Little going on: receiving 240 kB/s.');
  });

  it('keeps a clause until it is clearly over', () => {
    expect(tell({ rx: 0.8e6 }, ['rx']).keys).toEqual(['rx']);
    expect(tell({ rx: 0.8e6 }, []).keys).toEqual(['little rx']);
    expect(tell({ rx: 0.6e6 }, ['rx']).keys).toEqual(['little rx']);
  });

  it('never speaks of what is usual where that is not known', () => {
    expect(say({ rx: 12e6, csw: 90_000, irq: 90_000 })).not.toMatch(/usual|normal/i);
  });

  it('says how much more than usual the first is, in the room of a clause', () => {
    const told = (octaves: number) => plain(tell({ rx: 12e6, exec: 40, csw: 90_000 }, [], { rx: octaves, exec: 9 }).parts);
    expect(told(2)).toBe('Receiving 12 MB/s, 4 times the usual, and starting 40 programs a second.');
    expect(told(5)).toMatch(/, 30 times the usual, and/);
    expect(told(12)).toMatch(/over a thousand times the usual/);
    expect(told(0.5)).toBe('Receiving 12 MB/s, starting 40 programs a second and switching tasks 90 000 times a second.');
  });
});
