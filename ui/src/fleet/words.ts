// Writes the texts about a site and its hosts.
import type { Family, Fleet, FleetHost, RefusedWhy, Signal } from '../api/types';
import { factor } from '../format/units';
import type { Part } from '../now/sentence';

/** Minimum deviation with which a host stands out, in octaves. */
export const UNUSUAL = 1;
/** Maximum number of names in a list. Further hosts are counted, but not named. */
const NAMED = 3;

export type Signals = Readonly<Record<string, Pick<Signal, 'label' | 'family'>>>;

export function isUnusual({ state, deviation }: FleetHost): boolean {
  return state === 'live' && deviation !== null && deviation >= UNUSUAL;
}

/** Returns the family of the signal that stands out on a host, or null if the host does not stand
 *  out. */
export function familyOf(host: FleetHost, signals: Signals): Family | null {
  return isUnusual(host) && host.signal !== null ? (signals[host.signal]?.family ?? null) : null;
}

export function labelOf(signals: Signals, signal: string | null): string {
  return signal === null ? '' : (signals[signal]?.label ?? signal);
}

/** Describes the state of a host in a few words. */
export function stateText(host: FleetHost, signals: Signals): string {
  if (host.state === 'silent') return 'silent';
  if (host.deviation === null) return 'no data';
  return isUnusual(host) ? `${labelOf(signals, host.signal)} ${factor(host.deviation)}` : 'as usual';
}

/** Returns one sentence for each problem of a host, with its fix if khor knows one: a name that two
 *  relays use, a wrong clock, rejected messages, or data that khor leaves out. */
export function problemsOf(host: FleetHost): string[] {
  const problems: string[] = [];
  if (host.used_twice) problems.push('Two relays use this host name: give one of them a different --host.');
  if (host.clock_off) problems.push(`The host’s clock is ${seconds(Math.abs(host.clock_behind_ms))} ${host.clock_behind_ms > 0 ? 'behind' : 'ahead'}: set it by NTP.`);
  if (host.refused_messages > 0) problems.push(`${count(host.refused_messages, 'message')} with this host’s name ${host.refused_messages === 1 ? 'was' : 'were'} rejected: ${host.refusal ?? 'reason unknown'}.`);
  if (host.left_out !== null) problems.push(`${host.left_out}.`);
  return problems;
}

/** Returns the text of a host's cell, which the page shows only if the cells have enough space for
 *  text. */
export function cellText(words: string, hasVoices: boolean): string {
  return hasVoices ? `voices · ${words}` : words;
}

/** Returns one line with all texts about a host, for screen readers. The texts that are also
 *  visible come first. */
export function spokenText(host: FleetHost, signals: Signals, hasVoices: boolean, isAlone: boolean): string {
  const seen = `${host.name} ${cellText(stateText(host, signals), hasVoices)}`;
  const section = host.section === null ? [] : [`section ${host.section}`];
  return [seen, ...section, ...(isAlone ? ['plays alone'] : []), ...problemsOf(host).map((it) => it.replace(/\.$/, ''))].join(', ');
}

export function seconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`;
}

export function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}

/** Joins names into one text: "a, b and c", or "a, b, c and 4 more". */
export function listed(names: readonly string[]): string {
  const shown = names.length > NAMED + 1 ? [...names.slice(0, NAMED), `${names.length - NAMED} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}

/** Writes the headline above the grid of hosts. Words about a signal are separate parts, so that
 *  the page can show them in the colour of the signal's family. */
export function headline(fleet: Fleet, signals: Signals): Part[] {
  if (fleet.site === null) return [{ text: 'This engine does not play a site.' }];
  const by = new Map(fleet.hosts.map((host) => [host.name, host]));
  if (fleet.alone !== null) {
    const { host: name, ok, error } = fleet.alone;
    const host = by.get(name);
    if (!ok || host === undefined) return [{ text: `${error ?? `${name} does not play`}.`.replace(/^host /, '') }];
    return [{ text: `${name} alone: ` }, figure(host, signals), { text: '.' }];
  }
  const { live } = fleet;
  const silence = silent(fleet);
  if (live === 0) return [{ text: silence === null ? 'No host has sent data yet.' : `No host sends data now: ${silence}.` }];
  const solo = fleet.soloists.flatMap((name) => by.get(name) ?? []);
  const parts = solo.flatMap((host, i) => [{ text: `${i === 0 ? '' : '; '}${host.name} stands out: ` }, figure(host, signals)]);
  if (parts.length === 0) parts.push({ text: `${count(live, 'host')} ${live === 1 ? 'is' : 'are'} as usual` });
  return [...parts, { text: silence === null ? '.' : `; ${silence}.` }];
}

/** Names the silent hosts and sites; returns null if none is silent. The names of silent hosts of
 *  inner sites are unknown, so these hosts are only counted. */
function silent({ hosts, sites, silent: all }: Fleet): string | null {
  const isSilent = ({ state }: { state: string }) => state === 'silent';
  const named = hosts.filter(isSilent);
  const names = [...sites.filter(isSilent), ...named].map(({ name }) => name);
  const more = Math.max(0, all - named.length);
  if (names.length + more === 0) return null;
  if (names.length === 0) return `${count(more, 'host')} ${more === 1 ? 'is' : 'are'} silent`;
  const others = more === 0 ? '' : `${names.length === 1 ? '' : ','} and ${more} more ${more === 1 ? 'host' : 'hosts'}`;
  return `${listed(names)}${others} ${names.length + more === 1 ? 'is' : 'are'} silent`;
}

function figure(host: FleetHost, signals: Signals): Part {
  const family = familyOf(host, signals);
  return family === null ? { text: stateText(host, signals) } : { text: stateText(host, signals), family };
}

/** Describes the important changes for screen readers. The text contains no numbers that change
 *  often. */
export function news(fleet: Fleet): string {
  const parts = [
    fleet.alone === null ? null : fleet.alone.ok ? `${fleet.alone.host} plays alone` : (fleet.alone.error ?? `${fleet.alone.host} does not play`),
    fleet.alone === null && fleet.soloists.length > 0 ? `${listed(fleet.soloists)} ${fleet.soloists.length === 1 ? 'stands' : 'stand'} out` : null,
    silent(fleet),
  ];
  return parts.filter((part) => part !== null).join('. ');
}

/** Texts for the reasons why khor rejects messages. The page shows each text after a number of
 *  messages, as in "3 malformed". */
const REFUSALS: Record<RefusedWhy, string> = {
  oversized: 'too long',
  foreign: 'not from khor',
  version: 'with an unknown version',
  malformed: 'malformed',
  misdirected: 'with another host’s name',
  late: 'late or sent twice',
  duplicate: 'from a second relay with the same name',
  crowded: 'because the site has too many hosts',
  flooded: 'because a host sent too many cues',
  nested: 'from an inner site that itself contains sites',
};

/** Lists how many messages were rejected for each reason, the most frequent reason first. */
export function refusals({ refused }: Fleet): string[] {
  const reasons = Object.entries(REFUSALS) as [RefusedWhy, string][];
  return reasons
    .filter(([why]) => refused[why] > 0)
    .sort(([a], [b]) => refused[b] - refused[a])
    .map(([why, words]) => `${refused[why]} ${words}`);
}
