// Texts about a site and its hosts.
import type { Family, Fleet, FleetHost, RefusedWhy, Signal } from '../api/types';
import { factor } from '../format/units';
import type { Part } from '../now/sentence';

/** A host with at least this deviation does more than usual, octaves. */
export const UNUSUAL = 1;
/** Names in a list. Further ones are only counted. */
const NAMED = 3;

export type Signals = Readonly<Record<string, Pick<Signal, 'label' | 'family'>>>;

export function isUnusual({ state, deviation }: FleetHost): boolean {
  return state === 'live' && deviation !== null && deviation >= UNUSUAL;
}

/** Family of the signal with which a host stands out; null if it does not stand out. */
export function familyOf(host: FleetHost, signals: Signals): Family | null {
  return isUnusual(host) && host.signal !== null ? (signals[host.signal]?.family ?? null) : null;
}

export function labelOf(signals: Signals, signal: string | null): string {
  return signal === null ? '' : (signals[signal]?.label ?? signal);
}

/** The state of a host in a few words. */
export function standing(host: FleetHost, signals: Signals): string {
  if (host.state === 'silent') return 'silent';
  if (host.deviation === null) return 'nothing is heard of it';
  return isUnusual(host) ? `${labelOf(signals, host.signal)} ${factor(host.deviation)}` : 'as usual';
}

/** The problems of a host's messages. */
export function oddities(host: FleetHost): string[] {
  const odd: string[] = [];
  if (host.used_twice) odd.push('Two relays use this name: give one another --host.');
  if (host.clock_off) odd.push(`Its clock is ${seconds(Math.abs(host.clock_behind_ms))} ${host.clock_behind_ms > 0 ? 'behind' : 'ahead'}: have it set by NTP.`);
  if (host.refused_messages > 0) odd.push(`${count(host.refused_messages, 'message')} under its name refused: ${host.refusal ?? 'the reason is not known'}.`);
  if (host.left_out !== null) odd.push(`${host.left_out}.`);
  return odd;
}

/** The words in a host's cell, if there is space for them. */
export function shortly(words: string, hasVoices: boolean): string {
  return hasVoices ? `voices · ${words}` : words;
}

/** All texts about a host in one line for screen readers. The visible words come first. */
export function spoken(host: FleetHost, signals: Signals, hasVoices: boolean, isAlone: boolean): string {
  const seen = `${host.name} ${shortly(standing(host, signals), hasVoices)}`;
  const section = host.section === null ? [] : [`section ${host.section}`];
  return [seen, ...section, ...(isAlone ? ['heard alone'] : []), ...oddities(host).map((it) => it.replace(/\.$/, ''))].join(', ');
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

/** The sentence above the field. The words about a host's signal are separate parts. */
export function headline(fleet: Fleet, signals: Signals): Part[] {
  if (fleet.site === null) return [{ text: 'This engine hears no site.' }];
  const by = new Map(fleet.hosts.map((host) => [host.name, host]));
  if (fleet.alone !== null) {
    const { host: name, ok, error } = fleet.alone;
    const host = by.get(name);
    if (!ok || host === undefined) return [{ text: `${error ?? `${name} is not heard`}.`.replace(/^host /, '') }];
    return [{ text: `${name} alone: ` }, figure(host, signals), { text: '.' }];
  }
  const { live } = fleet;
  const silence = silent(fleet);
  if (live === 0) return [{ text: silence === null ? 'No host has been heard yet.' : `No host is heard now: ${silence}.` }];
  const solo = fleet.soloists.flatMap((name) => by.get(name) ?? []);
  const says = solo.flatMap((host, i) => [{ text: `${i === 0 ? '' : '; '}${host.name} stands out: ` }, figure(host, signals)]);
  if (says.length === 0) says.push({ text: live === 1 ? 'One host, as usual' : `${live} hosts, none stands out` });
  return [...says, { text: silence === null ? '.' : `; ${silence}.` }];
}

/** The silent hosts and sites. Silent hosts of inner sites are counted, not named. */
function silent({ hosts, sites, silent: all }: Fleet): string | null {
  const isSilent = ({ state }: { state: string }) => state === 'silent';
  const named = hosts.filter(isSilent);
  const names = [...sites.filter(isSilent), ...named].map(({ name }) => name);
  const more = Math.max(0, all - named.length);
  if (names.length + more === 0) return null;
  if (names.length === 0) return `${count(more, 'host')} ${more === 1 ? 'is' : 'are'} silent`;
  const others = more === 0 ? '' : `, and ${count(more, 'host')} more`;
  return `${listed(names)}${others} ${names.length + more === 1 ? 'is' : 'are'} silent`;
}

function figure(host: FleetHost, signals: Signals): Part {
  const family = familyOf(host, signals);
  return family === null ? { text: standing(host, signals) } : { text: standing(host, signals), family };
}

/** The news for screen readers, without numbers. */
export function news(fleet: Fleet): string {
  const parts = [
    fleet.alone === null ? null : fleet.alone.ok ? `${fleet.alone.host} is heard alone` : (fleet.alone.error ?? `${fleet.alone.host} is not heard`),
    fleet.alone === null && fleet.soloists.length > 0 ? `${listed(fleet.soloists)} ${fleet.soloists.length === 1 ? 'stands' : 'stand'} out` : null,
    silent(fleet),
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
  duplicate: 'from a second relay of a name',
  crowded: 'from more hosts than are kept track of',
  flooded: 'cues beyond the limit of a host',
  nested: 'from a site that contains sites',
};

/** Numbers of rejected messages by reason, the most frequent first. */
export function refusals({ refused }: Fleet): string[] {
  const reasons = Object.entries(REFUSALS) as [RefusedWhy, string][];
  return reasons
    .filter(([why]) => refused[why] > 0)
    .sort(([a], [b]) => refused[b] - refused[a])
    .map(([why, words]) => `${refused[why]} ${words}`);
}
