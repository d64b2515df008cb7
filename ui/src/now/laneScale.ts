// Computes where the chart of each lane is on the shared canvas, and which time each column of the
// canvas shows.

/** Height of a lane including its upper border, in CSS pixels. It must be the same as in
 *  lanes.css. */
export const LANE_HEIGHT = 47;
/** Distances from the top of a lane to the top and the bottom of its chart, in CSS pixels. */
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

/** Extends the scale of a lane to the whole canvas, which contains the charts of all lanes. The
 *  chart of lane `index` of `lanes` shows the values from 0 to `most`. Returns the values that the
 *  scale has at the bottom and at the top of the canvas. */
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
