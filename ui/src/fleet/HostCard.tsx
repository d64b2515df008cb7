// The details of one host, and a button that makes khor play only this host.
import type { FleetHost } from '../api/types';
import { Facts } from '../app/Facts';
import { capital } from '../format/music';
import { problemsOf, seconds, stateText, type Signals } from './words';

interface Props {
  host: FleetHost;
  signals: Signals;
  hasVoices: boolean;
  isAlone: boolean;
  play: (host: string | null) => void;
}

const SOURCES: Record<string, string> = { collector: 'its collector', proc: '/proc' };
/** If the last frame of a host is younger than this, in milliseconds, the page shows "now" instead
 *  of its age. */
const NOW_MS = 2000;

export function HostCard({ host, signals, hasVoices, isAlone, play }: Props) {
  const rows: [string, string][] = [
    ['Section', host.section ?? 'none'],
    ['Last frame', host.seen_ms_ago < NOW_MS ? 'now' : `${seconds(host.seen_ms_ago)} ago`],
    ['Source', SOURCES[host.source] ?? host.source],
    ['Baseline', host.learnt >= 0.995 ? 'learned' : `${Math.round(100 * host.learnt)} % learned`],
    ['Relay', host.version],
    ['Frames', `${host.missed_frames} missed, ${host.late_frames} arrived late`],
  ];
  return (
    <section aria-labelledby="host-title" className="card host-card">
      <h2 id="host-title">{host.name}</h2>
      <p>
        {capital(stateText(host, signals))}
        {hasVoices && ' · plays the voices'}
      </p>
      <Facts rows={rows} />
      <ul className="oddities">
        {problemsOf(host).map((problem) => (
          <li key={problem}>
            <span aria-hidden="true">▲</span> {problem}
          </li>
        ))}
      </ul>
      <button type="button" id="play-host" onClick={() => play(isAlone ? null : host.name)}>
        {isAlone ? 'Play all hosts' : `Play ${host.name} alone`}
      </button>
    </section>
  );
}
