// Computes the position of each lane's chart on the canvas that all lanes share, and the time that
// each column of pixels shows.

/** Height of a lane including its upper border, in CSS pixels. It must be the same as in
 *  lanes.css. */
export const LANE_HEIGHT = 47;
/** Position of a chart in its lane, in CSS pixels below the top of the lane: the top of the chart
 *  (`CHART_TOP`) and its bottom (`CHART_BOTTOM`). */
const CHART_TOP = 6;
const CHART_BOTTOM = 42;
/** Minimum distance from the baseline to the top of the scale, in octaves, so that a small change
 *  looks small. */
const LEAST_ABOVE = 3;

/** Returns the top of a lane's scale, in octaves. The top is above all `heights` and well
 *  above the `baseline`. The top is a whole number, so that the scale rarely changes. */
export function top(heights: readonly (number | null)[], baseline: number): number {
  let most = baseline + LEAST_ABOVE;
  for (const height of heights) if (height !== null && height > most) most = height;
  return Math.ceil(most + 0.05);
}

/** One canvas contains the charts of all lanes. The chart of lane `index` shows the values from 0
 *  to `most`. Extends its scale to the whole canvas, and returns the values at the bottom and at
 *  the top of the canvas. */
export function laneRange(index: number, lanes: number, most: number): [number, number] {
  const perPixel = most / (CHART_BOTTOM - CHART_TOP);
  const zero = index * LANE_HEIGHT + CHART_BOTTOM;
  return [(zero - lanes * LANE_HEIGHT) * perPixel, zero * perPixel];
}

/** Returns the end of the column that contains `time`. Charts move by whole columns, so that a
 *  column does not change after it is drawn. */
export function columnEnd(time: number, columnMs: number): number {
  return Math.ceil(time / columnMs) * columnMs;
}
