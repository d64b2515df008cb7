// Tests that the tour takes about ninety seconds and skips scenarios without a clip.
import { describe, expect, it } from 'vitest';
import { route, STOP_S, STOPS } from './tour';

const clip = (scenario: string) => ({ scenario, title: scenario, file: `/api/clips/${scenario}.wav`, seconds: 12, listen_for: 'x' });

describe('tour', () => {
  it('is about ninety seconds long', () => expect(Math.abs(STOPS.length * STOP_S - 90)).toBeLessThan(10));

  it('has its own order, and skips missing clips', () => {
    const clips = ['compile', 'retransmits', 'idle', 'something else'].map(clip);
    expect(route(clips).map(({ clip }) => clip.scenario)).toEqual(['idle', 'retransmits', 'compile']);
    expect(route([])).toEqual([]);
  });
});
