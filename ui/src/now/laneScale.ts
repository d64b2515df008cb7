// Where the charts of all lanes lie on one canvas, and where in time its columns end.

/** Height of a lane in CSS pixels, its line above included; lanes.css has the same. */
export const LANE_HEIGHT = 47;
/** Within a lane the chart reaches from here to here, in CSS pixels from its top. */
const CHART_TOP = 6;
const CHART_BOTTOM = 42;
/** Minimum height of the scale above the baseline, octaves, so that a small change looks small. */
const LEAST_ABOVE = 3;

/** The scale from nothing to a whole number of octaves above everything, so that it rarely changes. */
export function top(heights: readonly (number | null)[], baseline: number): number {
  let most = baseline + LEAST_ABOVE;
  for (const height of heights) if (height !== null && height > most) most = height;
  return Math.ceil(most + 0.05);
}

/** The values at the bottom and the top of a canvas over `lanes` lanes, so that the values 0 to
 *  `most` of lane `index` lie within its chart. */
export function laneRange(index: number, lanes: number, most: number): [number, number] {
  const perPixel = most / (CHART_BOTTOM - CHART_TOP);
  const zero = index * LANE_HEIGHT + CHART_BOTTOM;
  return [(zero - lanes * LANE_HEIGHT) * perPixel, zero * perPixel];
}

/** The end of the column that contains a time. Charts move by whole columns, so that a column does
 *  not change after it is drawn. */
export function columnEnd(time: number, columnMs: number): number {
  return Math.ceil(time / columnMs) * columnMs;
}
