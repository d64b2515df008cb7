// Computes the places of all lane charts on their shared canvas, and the times of its columns.

/** Height of a lane with its upper border, CSS pixels; the same as in lanes.css. */
export const LANE_HEIGHT = 47;
/** Top and bottom of a chart within its lane, CSS pixels from the lane's top. */
const CHART_TOP = 6;
const CHART_BOTTOM = 42;
/** Minimum height of the scale above the baseline, octaves, so that a small change looks small. */
const LEAST_ABOVE = 3;

/** The top of a lane's scale, octaves: above all `heights` and well above the `baseline`. It is a
 *  whole number, so that the scale rarely changes. */
export function top(heights: readonly (number | null)[], baseline: number): number {
  let most = baseline + LEAST_ABOVE;
  for (const height of heights) if (height !== null && height > most) most = height;
  return Math.ceil(most + 0.05);
}

/** The values at the bottom and the top of the canvas on the scale of lane `index`. On this scale,
 *  the values 0 to `most` lie within the lane's chart. The canvas has `lanes` lanes. */
export function laneRange(index: number, lanes: number, most: number): [number, number] {
  const perPixel = most / (CHART_BOTTOM - CHART_TOP);
  const zero = index * LANE_HEIGHT + CHART_BOTTOM;
  return [(zero - lanes * LANE_HEIGHT) * perPixel, zero * perPixel];
}

/** The end of the column that contains `time`. Charts move by whole columns, so that a column does
 *  not change after it is drawn. */
export function columnEnd(time: number, columnMs: number): number {
  return Math.ceil(time / columnMs) * columnMs;
}
