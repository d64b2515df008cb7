// Tests that each lane has its own part of the shared canvas, and that the charts move by whole
// columns.
import { describe, expect, it } from 'vitest';
import { columnEnd, LANE_HEIGHT, laneRange, top } from './laneScale';

/** Returns where a value of lane `index` is drawn, in pixels from the top of the canvas. */
function height(value: number, index: number, lanes: number, most: number): number {
  const [foot, head] = laneRange(index, lanes, most);
  return (1 - (value - foot) / (head - foot)) * lanes * LANE_HEIGHT;
}

describe('laneRange', () => {
  it.each([0, 5, 13])('keeps lane %i within its own part', (index) => {
    const [zero, most] = [height(0, index, 14, 6), height(6, index, 14, 6)];
    expect(zero).toBeCloseTo(index * LANE_HEIGHT + 42);
    expect(most).toBeCloseTo(index * LANE_HEIGHT + 6);
  });
});

describe('top', () => {
  it('is a whole number of octaves', () => {
    expect(top([], 2)).toBe(6);
    expect(top([null, 1], 0)).toBe(4);
    expect(top([7.3, null, 2], 1)).toBe(8);
  });
});

describe('columnEnd', () => {
  it('moves by one column at a time', () => {
    expect([1, 250, 499, 500, 501, 1000].map((time) => columnEnd(time, 500))).toEqual([500, 500, 500, 500, 1000, 1000]);
  });
});
