// The lists next to the grid of hosts: hosts that stand out, silent hosts, inner sites and
// problems. Also the legend of the symbols.
import type { Fleet, FleetHost } from '../api/types';
import { HostMark } from './HostMark';
import { count, familyOf, isUnusual, problemsOf, refusals, seconds, stateText, UNUSUAL, type Signals } from './words';

/** Maximum number of hosts that a list shows. */
const SHOWN = 6;
/** If the site has more hosts than this, the cells have no space for words, and the page lists the
 *  hosts that stand out. */
const CROWD = 24;

const byName = (a: FleetHost, b: FleetHost) => a.name.localeCompare(b.name, undefined, { numeric: true });

/** Lists the hosts that stand out, if the site has so many hosts that their cells have no space for
 *  words. */
export function StandingOut({ fleet, order, signals }: { fleet: Fleet; order: readonly string[]; signals: Signals }) {
  if (fleet.hosts.length <= CROWD) return null;
  const by = new Map(fleet.hosts.map((host) => [host.name, host]));
  const standing = order.flatMap((name) => by.get(name) ?? []).filter(isUnusual);
  return (
    <section aria-labelledby="standing-title" className="notice standing-out">
      <h2 id="standing-title">
        Standing out <span>{standing.length > SHOWN ? `${SHOWN} of ${standing.length}` : standing.length === 0 ? 'none' : ''}</span>
      </h2>
      <ul>
        {standing.slice(0, SHOWN).map((host) => (
          <li key={host.name}>
            <HostMark state="live" family={familyOf(host, signals)} deviation={UNUSUAL} />
            <b>{host.name}</b> <small>{stateText(host, signals)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Silent({ fleet }: { fleet: Fleet }) {
  const silent = fleet.hosts.filter(({ state }) => state === 'silent').sort((a, b) => Math.round((a.seen_ms_ago - b.seen_ms_ago) / 1000) || byName(a, b));
  if (silent.length === 0) return null;
  return (
    <section aria-labelledby="silent-title" className="notice">
      <h2 id="silent-title">Silent</h2>
      <ul>
        {silent.slice(0, SHOWN).map(({ name, seen_ms_ago }) => (
          <li key={name}>
            <b>{name}</b> <small>for {seconds(seen_ms_ago)}</small>
          </li>
        ))}
        {silent.length > SHOWN && <li>and {silent.length - SHOWN} more</li>}
      </ul>
    </section>
  );
}

/** Lists the inner sites: the sites within the site. The grid shows a host of an inner site only if
 *  the host stands out. */
export function InnerSites({ fleet: { sites } }: { fleet: Fleet }) {
  if (sites.length === 0) return null;
  return (
    <section aria-labelledby="inner-title" className="notice">
      <h2 id="inner-title">Inner sites</h2>
      <ul>
        {sites.map(({ name, state, live, silent, relative_error, seen_ms_ago }) => (
          <li key={name}>
            <b>{name}</b> <small>{state === 'silent' ? `silent for ${seconds(seen_ms_ago)}` : `${count(live, 'host')}${silent === 0 ? '' : `, ${silent} silent`}; totals accurate to ${(100 * relative_error).toFixed(1)} %`}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Problems({ fleet }: { fleet: Fleet }) {
  const affected = fleet.hosts.filter((host) => problemsOf(host).length > 0).sort(byName);
  const refused = refusals(fleet);
  if (affected.length === 0 && refused.length === 0) return null;
  return (
    <section aria-labelledby="odd-title" className="notice odd-hosts">
      <h2 id="odd-title">Problems</h2>
      <ul>
        {affected.slice(0, SHOWN).map((host) => (
          <li key={host.name}>
            <b>{host.name}</b> <small>{problemsOf(host).join(' ')}</small>
          </li>
        ))}
        {affected.length > SHOWN && <li>and {affected.length - SHOWN} more {affected.length - SHOWN === 1 ? 'host' : 'hosts'}</li>}
        {refused.length > 0 && (
          <li>
            Rejected messages: {refused.join(', ')}
            {fleet.refused.last !== null && <small>last reason: {fleet.refused.last}</small>}
          </li>
        )}
      </ul>
    </section>
  );
}

export function Legend() {
  return (
    <section aria-labelledby="legend-title" className="notice legend">
      <h2 id="legend-title">Marks</h2>
      <ul>
        <li>
          <HostMark state="live" family={null} deviation={0} /> as usual for this host
        </li>
        <li>
          <HostMark state="live" family="network" deviation={3} /> more than usual: the size shows how much, the shape shows the signal’s family
        </li>
        <li>
          <span className="ring" aria-hidden="true" /> plays the voices
        </li>
        <li>
          <HostMark state="silent" family={null} deviation={0} /> silent
        </li>
        <li>
          <span className="odd" aria-hidden="true">
            !
          </span>{' '}
          has a problem
        </li>
      </ul>
    </section>
  );
}
