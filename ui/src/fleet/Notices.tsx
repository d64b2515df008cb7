// Beside the field: who is silent, who is odd, what was not taken, and what the marks mean.
import type { Fleet, FleetHost } from '../api/types';
import { HostMark } from './HostMark';
import { count, familyOf, isUnusual, oddities, refusals, seconds, standing as inWords, UNUSUAL, type Signals } from './words';

const SHOWN = 6;
/** More hosts than this are more than one can read. */
const CROWD = 24;

const byName = (a: FleetHost, b: FleetHost) => a.name.localeCompare(b.name, undefined, { numeric: true });

/** The cells of many hosts have no room for this. */
export function StandingOut({ fleet, order, signals }: { fleet: Fleet; order: readonly string[]; signals: Signals }) {
  if (fleet.hosts.length <= CROWD) return null;
  const by = new Map(fleet.hosts.map((host) => [host.name, host]));
  const standing = order.flatMap((name) => by.get(name) ?? []).filter(isUnusual);
  return (
    <section aria-labelledby="standing-title" className="notice standing-out">
      <h2 id="standing-title">
        Standing out <span>{standing.length > SHOWN ? `${SHOWN} of ${standing.length}` : standing.length === 0 ? 'nobody' : ''}</span>
      </h2>
      <ul>
        {standing.slice(0, SHOWN).map((host) => (
          <li key={host.name}>
            <HostMark state="live" family={familyOf(host, signals)} deviation={UNUSUAL} />
            <b>{host.name}</b> <small>{inWords(host, signals)}</small>
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

/** Sites within the site: of theirs only who stands out has a place in the field. */
export function Within({ fleet: { sites } }: { fleet: Fleet }) {
  if (sites.length === 0) return null;
  return (
    <section aria-labelledby="within-title" className="notice">
      <h2 id="within-title">Sites within</h2>
      <ul>
        {sites.map(({ name, state, live, silent, relative_error, seen_ms_ago }) => (
          <li key={name}>
            <b>{name}</b> <small>{state === 'silent' ? `silent for ${seconds(seen_ms_ago)}` : `${count(live, 'host')}${silent === 0 ? '' : `, ${silent} silent`}; what all do, within ${(100 * relative_error).toFixed(1)} %`}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Odd({ fleet }: { fleet: Fleet }) {
  const odd = fleet.hosts.filter((host) => oddities(host).length > 0).sort(byName);
  const refused = refusals(fleet);
  if (odd.length === 0 && refused.length === 0) return null;
  return (
    <section aria-labelledby="odd-title" className="notice odd-hosts">
      <h2 id="odd-title">Odd</h2>
      <ul>
        {odd.slice(0, SHOWN).map((host) => (
          <li key={host.name}>
            <b>{host.name}</b> <small>{oddities(host).join(' ')}</small>
          </li>
        ))}
        {odd.length > SHOWN && <li>and {odd.length - SHOWN} hosts more</li>}
        {refused.length > 0 && (
          <li>
            Messages refused: {refused.join(', ')}
            {fleet.refused.last !== null && <small>the last: {fleet.refused.last}</small>}
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
          <HostMark state="live" family={null} deviation={0} /> as usual for that host
        </li>
        <li>
          <HostMark state="live" family="network" deviation={3} /> more than usual; larger is further, the shape is the family of its signal
        </li>
        <li>
          <span className="ring" aria-hidden="true" /> has the voices
        </li>
        <li>
          <HostMark state="silent" family={null} deviation={0} /> silent
        </li>
        <li>
          <span className="odd" aria-hidden="true">
            !
          </span>{' '}
          something is odd about it
        </li>
      </ul>
    </section>
  );
}
