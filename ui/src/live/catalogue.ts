// The catalogue of lanes. Until the engine has sent its catalogue, the page shows the lanes of the
// kernel's signals, so that nothing moves when the first values arrive.
import { KERNEL_LANES } from '../api/lanes';
import type { Family } from '../api/types';
import type { LaneSignal } from './state';

/** The signal families, in their fixed order. */
export const FAMILIES: readonly Family[] = ['process', 'network', 'disk', 'memory', 'kernel'];

export interface LaneSpec {
  name: string;
  label: string;
  family: Family;
  /** The rate that is one octave above zero on the logarithmic scale of the lane. */
  grain: number;
}

/** The lanes of the kernel's signals. */
export const CATALOGUE: readonly LaneSpec[] = KERNEL_LANES;

/** Converts a rate to the logarithmic scale of its lane: `log2(1 + rate / grain)`. The engine uses
 *  the same scale to compare rates with baselines. */
export function octaves(rate: number, grain: number): number {
  return Math.log2(1 + Math.max(0, rate) / grain);
}

/** Returns the engine's lanes in the engine's order, or the kernel's lanes if `signals` is
 *  undefined. */
export function lanesOf(signals: Record<string, LaneSignal> | undefined): readonly LaneSpec[] {
  if (signals === undefined) return CATALOGUE;
  return Object.entries(signals).map(([name, { label, family, grain }]) => ({ name, label, family, grain }));
}
