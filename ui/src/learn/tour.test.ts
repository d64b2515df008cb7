// The tour takes about ninety seconds and leaves out what it has no sound for.
import { describe, expect, it } from 'vitest';
import { route, STOP_S, STOPS } from './tour';

const clip = (scenario: string) => ({ scenario, title: scenario, file: `/api/clips/${scenario}.wav`, seconds: 12, listen_for: 'x' });

describe('tour', () => {
  it('is about ninety seconds long', () => expect(Math.abs(STOPS.length * STOP_S - 90)).toBeLessThan(10));

  it('goes in its own order, whatever the list’s, and leaves out what has no clip', () => {
    const clips = ['compile', 'retransmits', 'idle', 'something else'].map(clip);
    expect(route(clips).map(({ clip }) => clip.scenario)).toEqual(['idle', 'retransmits', 'compile']);
    expect(route([])).toEqual([]);
  });
});
