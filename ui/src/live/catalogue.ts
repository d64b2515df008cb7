// The lanes that the page draws: those of the kernel until the engine names its own, so that
// their places do not change when the first values arrive.
import { KERNEL_LANES } from '../api/lanes';
import type { Family } from '../api/types';
import type { LaneSignal } from './state';

/** The families in their fixed order. */
export const FAMILIES: readonly Family[] = ['process', 'network', 'disk', 'memory', 'kernel'];

export interface LaneSpec {
  name: string;
  label: string;
  family: Family;
  /** The rate that is drawn one octave above zero. */
  grain: number;
}

/** The lanes of the kernel, until the engine names its own. */
export const CATALOGUE: readonly LaneSpec[] = KERNEL_LANES;

/** `log2(1 + rate / grain)`. The engine compares rates with baselines on the same scale. */
export function octaves(rate: number, grain: number): number {
  return Math.log2(1 + Math.max(0, rate) / grain);
}

/** The engine's lanes in its order. Until they are known, those of the kernel's signals. */
export function lanesOf(signals: Record<string, LaneSignal> | undefined): readonly LaneSpec[] {
  if (signals === undefined) return CATALOGUE;
  return Object.entries(signals).map(([name, { label, family, grain }]) => ({ name, label, family, grain }));
}
