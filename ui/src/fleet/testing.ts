// Creates hosts and sites for tests, in the form in which the API reports them.
import type { Fleet, FleetHost } from '../api/types';

export function host(name: string, part: Partial<FleetHost> = {}): FleetHost {
  return {
    name,
    section: null,
    via: null,
    state: 'live',
    deviation: 0.1,
    signal: 'rx',
    seen_ms_ago: 120,
    learnt: 1,
    source: 'proc',
    version: '0.1.0',
    clock_behind_ms: 3,
    clock_off: false,
    missed_frames: 0,
    late_frames: 0,
    refused_messages: 0,
    refusal: null,
    left_out: null,
    used_twice: false,
    ...part,
  };
}

export function fleet(hosts: FleetHost[], part: Partial<Fleet> = {}): Fleet {
  const refused = { oversized: 0, foreign: 0, version: 0, malformed: 0, misdirected: 0, late: 0, duplicate: 0, crowded: 0, flooded: 0, nested: 0, last: null };
  const silent = hosts.filter(({ state }) => state === 'silent').length;
  return { site: 'home', ok: true, error: null, fix: null, mode: 'ensemble', remark: null, soloists: [], alone: null, sections: [], turns: 0, hosts, sites: [], live: hosts.length - silent, silent, versions: { '0.1.0': hosts.length }, refused, ...part };
}
