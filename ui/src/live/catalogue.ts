// The signals in their fixed order, so lanes stand in place before the first figures arrive.
import type { Family, Signal } from '../api/types';

export interface LaneSpec {
  name: string;
  label: string;
  family: Family;
}

const lane = (name: string, label: string, family: Family): LaneSpec => ({ name, label, family });

export const CATALOGUE: readonly LaneSpec[] = [
  lane('exec', 'program starts', 'process'),
  lane('fork', 'new tasks', 'process'),
  lane('rx', 'received', 'network'),
  lane('tx', 'sent', 'network'),
  lane('retx', 'retransmits', 'network'),
  lane('io', 'disk traffic', 'disk'),
  lane('lat', 'disk waits', 'disk'),
  lane('stall', 'waiting on disk', 'disk'),
  lane('mem', 'memory pressure', 'memory'),
  lane('fault', 'page faults', 'memory'),
  lane('cpu', 'waiting on cpu', 'kernel'),
  lane('csw', 'switches', 'kernel'),
  lane('irq', 'interrupts', 'kernel'),
  lane('softirq', 'soft interrupts', 'kernel'),
];

/** The catalogue with the engine's own words, and any signal the engine knows and this page does not, at the end. */
export function lanesOf(signals: Record<string, Signal> | undefined): LaneSpec[] {
  if (signals === undefined) return [...CATALOGUE];
  const known = CATALOGUE.map((spec) => {
    const signal = signals[spec.name];
    return signal ? lane(spec.name, signal.label, signal.family) : spec;
  });
  const extra = Object.entries(signals)
    .filter(([name]) => !CATALOGUE.some((spec) => spec.name === name))
    .map(([name, signal]) => lane(name, signal.label, signal.family));
  return [...known, ...extra];
}
