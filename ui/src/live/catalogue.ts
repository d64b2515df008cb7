// The lanes. The kernel's signals are built in, so that their lanes have a place before the first
// values arrive.
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

const lane = (name: string, label: string, family: Family, grain: number): LaneSpec => ({ name, label, family, grain });

export const CATALOGUE: readonly LaneSpec[] = [
  lane('exec', 'program starts', 'process', 0.5),
  lane('fork', 'new tasks', 'process', 2),
  lane('rx', 'received', 'network', 20e3),
  lane('tx', 'sent', 'network', 20e3),
  lane('local', 'local traffic', 'network', 20e3),
  lane('retx', 'retransmits', 'network', 0.3),
  lane('io', 'disk traffic', 'disk', 100e3),
  lane('lat', 'disk waits', 'disk', 0.001),
  lane('stall', 'waiting on disk', 'disk', 0.02),
  lane('mem', 'memory pressure', 'memory', 0.02),
  lane('fault', 'page faults', 'memory', 500),
  lane('cpu', 'waiting on cpu', 'kernel', 0.02),
  lane('csw', 'switches', 'kernel', 500),
  lane('irq', 'interrupts', 'kernel', 200),
  lane('softirq', 'soft interrupts', 'kernel', 500),
];

/** `log2(1 + rate / grain)`. The engine compares rates with baselines on the same scale. */
export function octaves(rate: number, grain: number): number {
  return Math.log2(1 + Math.max(0, rate) / grain);
}

/** The engine's lanes in its order. Until they are known, those of the kernel's signals. */
export function lanesOf(signals: Record<string, LaneSignal> | undefined): readonly LaneSpec[] {
  if (signals === undefined) return CATALOGUE;
  return Object.entries(signals).map(([name, { label, family, grain }]) => lane(name, label, family, grain));
}
