// Tests that texts about a site are short and name hosts and signals. Texts for screen readers must
// not change if only numbers change.
import { describe, expect, it } from 'vitest';
import { headline, listed, news, problemsOf, refusals, spokenText, stateText, type Signals } from './words';
import { plain } from '../now/sentence';
import { fleet, host } from './testing';

const SIGNALS: Signals = { rx: { label: 'received', family: 'network' } };
const loud = host('web-2', { deviation: 8.1, section: 'web' });
const quiet = host('web-1');
const silent = host('db', { state: 'silent', deviation: null, signal: null, seen_ms_ago: 12_000 });

describe('words', () => {
  it('describe the state of a host', () => {
    expect([loud, quiet, silent, host('x', { deviation: null })].map((it) => stateText(it, SIGNALS))).toEqual(['received × 270', 'as usual', 'silent', 'no data']);
    expect(spokenText(loud, SIGNALS, true, false)).toBe('web-2 voices · received × 270, section web');
  });
  it('name the problems of a host with fixes', () => {
    const odd = host('a', { used_twice: true, clock_off: true, clock_behind_ms: -65_000, refused_messages: 2, refusal: 'another relay uses this host’s name' });
    expect(problemsOf(odd)).toEqual(['Two relays use this host name: give one of them a different --host.', 'The host’s clock is 65 s ahead: set it by NTP.', '2 messages with this host’s name were rejected: another relay uses this host’s name.']);
    expect(problemsOf(quiet)).toEqual([]);
  });
  it('name three hosts and count the others', () => expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd', 'e']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b, c and d', 'a, b, c and 2 more']));
});

describe('the headline', () => {
  const headlineOf = (...args: Parameters<typeof fleet>) => plain(headline(fleet(...args), SIGNALS));
  it('names hosts that stand out or are silent', () => {
    expect(headlineOf([loud, quiet, silent], { soloists: ['web-2'] })).toBe('web-2 stands out: received × 270; db is silent.');
    expect(headlineOf([loud, host('b', { deviation: 3 })], { soloists: ['web-2', 'b'] })).toBe('web-2 stands out: received × 270; b stands out: received × 8.0.');
    expect(headlineOf([quiet, host('b')])).toBe('2 hosts are as usual.');
    expect(headlineOf([silent])).toBe('No host sends data now: db is silent.');
    expect(headlineOf([])).toBe('No host has sent data yet.');
  });
  it('counts the hosts of sites within the site', () => {
    const rack = { name: 'rack-1', state: 'live' as const, live: 40, silent: 2, refused: 0, aggregators: 1, relative_error: 0.03, section_relative_error: null, seen_ms_ago: 90 };
    const inner = { ...loud, via: 'rack-1' };
    expect(headlineOf([inner], { soloists: ['web-2'], sites: [rack], live: 40, silent: 2 })).toBe('web-2 stands out: received × 270; 2 hosts are silent.');
    expect(headlineOf([silent], { sites: [rack], live: 40, silent: 3 })).toBe('40 hosts are as usual; db and 2 more hosts are silent.');
    expect(headlineOf([], { sites: [{ ...rack, state: 'silent' }], live: 0, silent: 0 })).toBe('No host sends data now: rack-1 is silent.');
  });
  it('describes the only host that plays', () => {
    expect(headlineOf([quiet, loud], { alone: { host: 'web-1', ok: true, error: null, fix: null } })).toBe('web-1 alone: as usual.');
    expect(headlineOf([silent], { alone: { host: 'db', ok: false, error: 'host db has stopped sending', fix: 'x' } })).toBe('db has stopped sending.');
  });
});

describe('the news', () => {
  it('does not change with numbers', () => {
    const now = news(fleet([loud, silent], { soloists: ['web-2'] }));
    expect(now).toBe('web-2 stands out. db is silent');
    expect(news(fleet([{ ...loud, deviation: 5 }, silent], { soloists: ['web-2'] }))).toBe(now);
    expect(news(fleet([quiet, loud], { soloists: ['web-2', 'web-1'] }))).toBe('web-2 and web-1 stand out');
    expect(news(fleet([quiet]))).toBe('');
  });
});

it('counts rejected messages, the most frequent first', () => {
  const it = fleet([]);
  expect(refusals({ ...it, refused: { ...it.refused, foreign: 1, duplicate: 40 } })).toEqual(['40 from a second relay with the same name', '1 not from khor']);
});
