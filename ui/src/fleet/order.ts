// Orders the hosts by deviation, largest first. Hosts change places rarely, and never after a small
// change of a deviation.
import type { FleetHost } from '../api/types';

/** Hosts that are already in the grid change places at most once in this time, in milliseconds. */
const REORDER_MS = 8000;
/** The sort key of a host is its deviation, rounded to a whole octave. The key changes when the
 *  deviation is this many octaves away from it. This distance is more than half an octave, so that
 *  a host between two keys does not move back and forth. */
const LEAVE = 0.75;
/** Maximum number of sections that the grid shows. If the site has more sections, the grid shows
 *  all hosts as one group. */
export const MOST_SECTIONS = 8;

export interface Arrangement {
  /** Names of the hosts, largest deviation first. */
  order: readonly string[];
  /** The sort key of each host: its deviation in whole octaves. */
  steps: ReadonlyMap<string, number>;
  /** Time of the last change of the order, in milliseconds of `performance.now`. */
  at: number;
}

export const EMPTY: Arrangement = { order: [], steps: new Map(), at: -Infinity };

/** Sort keys of silent hosts (`SILENT`) and of hosts whose deviation is unknown (`UNKNOWN`). Both
 *  keys are negative, so these hosts come last. */
const SILENT = -2;
const UNKNOWN = -1;

function step({ state, deviation }: FleetHost, before: number | undefined): number {
  if (state === 'silent') return SILENT;
  if (deviation === null) return UNKNOWN;
  const octaves = Math.max(0, deviation);
  return before !== undefined && before >= 0 && Math.abs(octaves - before) < LEAVE ? before : Math.round(octaves);
}

/** Updates the order of the hosts after new data has arrived. New hosts get their places at once.
 *  Known hosts move only if `mayMove` is true, and at most every `REORDER_MS`. Hosts with equal
 *  sort keys keep their order. */
export function arranged(before: Arrangement, hosts: readonly FleetHost[], now: number, mayMove: boolean): Arrangement {
  const here = new Map(hosts.map((host) => [host.name, host]));
  const remaining = before.order.filter((name) => here.has(name));
  const added = hosts.filter(({ name }) => !before.steps.has(name));
  const moves = mayMove && now - before.at >= REORDER_MS;
  if (!moves && added.length === 0 && remaining.length === before.order.length) return before;
  const steps = new Map<string, number>();
  for (const host of hosts) {
    const was = before.steps.get(host.name);
    steps.set(host.name, was !== undefined && !moves ? was : step(host, was));
  }
  const order = [...remaining, ...added.map(({ name }) => name)];
  order.sort((a, b) => (steps.get(b) ?? SILENT) - (steps.get(a) ?? SILENT));
  return { order, steps, at: moves ? now : before.at };
}

/** The hosts that have the same section label. */
export interface Section {
  /** The section label; null if the section contains all hosts, or the hosts without a label. */
  label: string | null;
  hosts: FleetHost[];
}

/** Groups the hosts by section label. Sections are in alphabetical order. The hosts of a section
 *  are in the given `order`. */
export function sections(hosts: readonly FleetHost[], order: readonly string[]): Section[] {
  const here = new Map(hosts.map((host) => [host.name, host]));
  const inOrder = order.flatMap((name) => here.get(name) ?? []);
  const labels = [...new Set(hosts.map((host) => host.section))].sort(byLabel);
  if (labels.length < 2 || labels.length > MOST_SECTIONS) return [{ label: labels.length === 1 ? (labels[0] ?? null) : null, hosts: inOrder }];
  return labels.map((label) => ({ label, hosts: inOrder.filter((host) => host.section === label) }));
}

function byLabel(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a.localeCompare(b, undefined, { numeric: true });
}
