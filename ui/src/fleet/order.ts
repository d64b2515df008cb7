// Orders the hosts by deviation, the largest first. Hosts move rarely, and not for small changes.
import type { FleetHost } from '../api/types';

/** Between two looks at whether somebody should stand elsewhere. */
const REORDER_MS = 8000;
/** Octaves from the middle of its step at which a host leaves it: more than half, so that none goes
 *  to and fro. */
const LEAVE = 0.75;
/** Where there are more sections than this, they are told host by host instead. */
export const MOST_SECTIONS = 8;

export interface Arrangement {
  /** Names, the largest deviation first. */
  order: readonly string[];
  /** Whole octaves by which each stands there. */
  steps: ReadonlyMap<string, number>;
  /** When somebody may have moved last, on the clock of `performance.now`. */
  at: number;
}

export const NOBODY: Arrangement = { order: [], steps: new Map(), at: -Infinity };

const SILENT = -2;
const UNKNOWN = -1;

function step({ state, deviation }: FleetHost, before: number | undefined): number {
  if (state === 'silent') return SILENT;
  if (deviation === null) return UNKNOWN;
  const octaves = Math.max(0, deviation);
  return before !== undefined && before >= 0 && Math.abs(octaves - before) < LEAVE ? before : Math.round(octaves);
}

/** Newcomers stand where they belong at once, the rest only when `mayMove`. Equals keep their
 *  order. */
export function arranged(before: Arrangement, hosts: readonly FleetHost[], now: number, mayMove: boolean): Arrangement {
  const here = new Map(hosts.map((host) => [host.name, host]));
  const stayed = before.order.filter((name) => here.has(name));
  const came = hosts.filter(({ name }) => !before.steps.has(name));
  const moves = mayMove && now - before.at >= REORDER_MS;
  if (!moves && came.length === 0 && stayed.length === before.order.length) return before;
  const steps = new Map<string, number>();
  for (const host of hosts) {
    const was = before.steps.get(host.name);
    steps.set(host.name, was !== undefined && !moves ? was : step(host, was));
  }
  const order = [...stayed, ...came.map(({ name }) => name)];
  order.sort((a, b) => (steps.get(b) ?? SILENT) - (steps.get(a) ?? SILENT));
  return { order, steps, at: moves ? now : before.at };
}

/** Hosts of one label. */
export interface Section {
  /** Null is all of them, or those without a label. */
  label: string | null;
  hosts: FleetHost[];
}

/** By label, in the order of the labels, which does not change; within, in the order given. */
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
