// Each lane has its own stretch of the one canvas, and time moves by whole columns.
import { describe, expect, it } from 'vitest';
import { columnEnd, LANE_HEIGHT, laneRange, top } from './laneScale';

/** Where a value of lane `index` is drawn, pixels from the head of the canvas. */
function height(value: number, index: number, lanes: number, most: number): number {
  const [foot, head] = laneRange(index, lanes, most);
  return (1 - (value - foot) / (head - foot)) * lanes * LANE_HEIGHT;
}

describe('laneRange', () => {
  it.each([0, 5, 13])('keeps all of lane %i within its own room', (index) => {
    const [zero, most] = [height(0, index, 14, 6), height(6, index, 14, 6)];
    expect(zero).toBeCloseTo(index * LANE_HEIGHT + 42);
    expect(most).toBeCloseTo(index * LANE_HEIGHT + 6);
  });
});

describe('top', () => {
  it('is whole octaves above everything, and at least three above the baseline', () => {
    expect(top([], 2)).toBe(6);
    expect(top([null, 1], 0)).toBe(4);
    expect(top([7.3, null, 2], 1)).toBe(8);
  });
});

describe('columnEnd', () => {
  it('stays while a column fills, and then moves by one', () => {
    expect([1, 250, 499, 500, 501, 1000].map((time) => columnEnd(time, 500))).toEqual([500, 500, 500, 500, 1000, 1000]);
  });
});
