// Draws the curve of a route as a small picture. The horizontal axis is the input, and the vertical
// axis is the output.
import type { Curve, Polarity } from '../api/types';

const POINTS = 12;
const MARGIN = 2;

/** Returns the output of a curve for the input `x`. Input and output are between 0 and 1. */
export function curveAt(curve: Curve, polarity: Polarity, x: number): number {
  const up = curve === 'square' ? x * x : curve === 'root' ? Math.sqrt(x) : x;
  return polarity === 'up' ? up : 1 - up;
}

/** Returns the curve of a route as an SVG path. */
export function shapePath(curve: Curve, polarity: Polarity, width: number, height: number): string {
  const points = Array.from({ length: POINTS + 1 }, (_, i) => {
    const x = i / POINTS;
    const y = curveAt(curve, polarity, x);
    return `${(MARGIN + x * (width - 2 * MARGIN)).toFixed(1)},${(height - MARGIN - y * (height - 2 * MARGIN)).toFixed(1)}`;
  });
  return `M${points.join('L')}`;
}
