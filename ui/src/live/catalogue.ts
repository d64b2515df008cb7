// The signals in their fixed order, so lanes stand in place before the first figures arrive, and the scale they are drawn on.
import type { Family, Signal } from '../api/types';

/** The families in their fixed order. */
export const FAMILIES: readonly Family[] = ['process', 'network', 'disk', 'memory', 'kernel'];

export interface LaneSpec {
  name: string;
  label: string;
  family: Family;
  /** The rate that is drawn one octave above none: less is murmur, each doubling above it rises by as much. */
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

const UNKNOWN_GRAIN = 1;

/** `log2(1 + rate / grain)`, the scale on which the engine too compares a rate with what is ordinary. */
export function octaves(rate: number, grain: number): number {
  return Math.log2(1 + Math.max(0, rate) / grain);
}

export function grainOf(name: string): number {
  return CATALOGUE.find((spec) => spec.name === name)?.grain ?? UNKNOWN_GRAIN;
}

/** The catalogue with the engine's own words, and any signal the engine knows and this page does not, at the end. */
export function lanesOf(signals: Record<string, Signal> | undefined): LaneSpec[] {
  if (signals === undefined) return [...CATALOGUE];
  const known = CATALOGUE.map((spec) => {
    const signal = signals[spec.name];
    return signal ? lane(spec.name, signal.label, signal.family, spec.grain) : spec;
  });
  const extra = Object.entries(signals)
    .filter(([name]) => !CATALOGUE.some((spec) => spec.name === name))
    .map(([name, signal]) => lane(name, signal.label, signal.family, UNKNOWN_GRAIN));
  return [...known, ...extra];
}
