// What is said of a site and of its hosts.
import type { Fleet, FleetHost, RefusedWhy, Signal } from '../api/types';
import { factor } from '../format/units';

/** Octaves from which a host does more than usual. */
export const UNUSUAL = 1;
/** Names in a list before the rest is counted. */
const NAMED = 3;

export type Signals = Readonly<Record<string, Pick<Signal, 'label' | 'family'>>>;

export function isUnusual({ state, deviation }: FleetHost): boolean {
  return state === 'live' && deviation !== null && deviation >= UNUSUAL;
}

export function labelOf(signals: Signals, signal: string | null): string {
  return signal === null ? '' : (signals[signal]?.label ?? signal);
}

/** How it is, short. */
export function standing(host: FleetHost, signals: Signals): string {
  if (host.state === 'silent') return 'silent';
  if (host.deviation === null) return 'nothing is heard of it';
  return isUnusual(host) ? `${factor(host.deviation)} ${labelOf(signals, host.signal)}` : 'as usual';
}

/** What is odd about what comes from it, each in a few words. */
export function oddities(host: FleetHost): string[] {
  const odd: string[] = [];
  if (host.used_twice) odd.push('Two relays use this name: give one another --host.');
  if (host.clock_off) odd.push(`Its clock is ${seconds(Math.abs(host.clock_behind_ms))} ${host.clock_behind_ms > 0 ? 'behind' : 'ahead'}: have it set by NTP.`);
  if (host.refused_messages > 0) odd.push(`${count(host.refused_messages, 'message')} under its name refused: ${host.refusal ?? 'the reason is not known'}.`);
  return odd;
}

/** All of it in one line, for those who hear the page. */
export function spoken(host: FleetHost, signals: Signals, hasVoices: boolean, isAlone: boolean): string {
  const section = host.section === null ? [] : [`section ${host.section}`];
  const state = isUnusual(host) ? `${factor(host.deviation).replace('× ', '')} times the usual, ${labelOf(signals, host.signal)}` : standing(host, signals);
  const more = [...(hasVoices ? ['has the voices'] : []), ...(isAlone ? ['heard alone'] : []), ...oddities(host).map((it) => it.replace(/\.$/, ''))];
  return [host.name, ...section, state, ...more].join(', ');
}

export function seconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`;
}

export function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}

/** a, b and c; a, b, c and 4 more. */
export function listed(names: readonly string[]): string {
  const shown = names.length > NAMED + 1 ? [...names.slice(0, NAMED), `${names.length - NAMED} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}

/** The hosts that have the voices: one today, and whoever else an engine names. */
export function soloists({ solo }: Fleet): string[] {
  return solo === null ? [] : [solo];
}

/** The sentence above the field. */
export function headline(fleet: Fleet, signals: Signals): string {
  if (fleet.site === null) return 'This engine hears no site.';
  const by = new Map(fleet.hosts.map((host) => [host.name, host]));
  if (fleet.alone !== null) {
    const { host: name, ok, error } = fleet.alone;
    const host = by.get(name);
    return ok && host !== undefined ? `${name} alone: ${standing(host, signals)}.` : `${error ?? `${name} is not heard`}.`.replace(/^host /, '');
  }
  const silent = fleet.hosts.filter((host) => host.state === 'silent').map((host) => host.name);
  const live = fleet.hosts.length - silent.length;
  if (live === 0) return silent.length === 0 ? 'No host has been heard yet.' : `No host is heard now: ${listed(silent)} ${silent.length === 1 ? 'is' : 'are'} silent.`;
  const solo = soloists(fleet).flatMap((name) => by.get(name) ?? []);
  const says = solo.length > 0 ? solo.map((host) => `${host.name} stands out: ${standing(host, signals)}`).join('; ') : live === 1 ? 'One host, as usual' : `${live} hosts, none stands out`;
  return silent.length === 0 ? `${says}.` : `${says}; ${listed(silent)} ${silent.length === 1 ? 'is' : 'are'} silent.`;
}

/** What of it is news, without figures: said to those who hear the page. */
export function news(fleet: Fleet): string {
  const silent = fleet.hosts.filter((host) => host.state === 'silent').map((host) => host.name);
  const parts = [
    fleet.alone === null ? null : fleet.alone.ok ? `${fleet.alone.host} is heard alone` : (fleet.alone.error ?? `${fleet.alone.host} is not heard`),
    fleet.alone === null && soloists(fleet).length > 0 ? `${listed(soloists(fleet))} stands out` : null,
    silent.length > 0 ? `${listed(silent)} ${silent.length === 1 ? 'is' : 'are'} silent` : null,
  ];
  return parts.filter((part) => part !== null).join('. ');
}

const REFUSALS: Record<RefusedWhy, string> = {
  oversized: 'too long',
  foreign: 'not khor’s',
  version: 'of an unknown version',
  malformed: 'broken',
  misdirected: 'under another host’s name',
  late: 'late or sent twice',
  duplicate: 'of a second relay of a name',
  crowded: 'of more hosts than are kept track of',
};

/** What was not taken, by reason, the most frequent first. */
export function refusals({ refused }: Fleet): string[] {
  const reasons = Object.entries(REFUSALS) as [RefusedWhy, string][];
  return reasons
    .filter(([why]) => refused[why] > 0)
    .sort(([a], [b]) => refused[b] - refused[a])
    .map(([why, words]) => `${refused[why]} ${words}`);
}
