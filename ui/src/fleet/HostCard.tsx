// All that is known of one host, and the way to hear it alone.
import type { FleetHost } from '../api/types';
import { Facts } from '../app/Facts';
import { capital } from '../format/music';
import { oddities, seconds, standing, type Signals } from './words';

interface Props {
  host: FleetHost;
  signals: Signals;
  hasVoices: boolean;
  isAlone: boolean;
  hear: (host: string | null) => void;
}

const SOURCES: Record<string, string> = { collector: 'its collector', proc: '/proc' };
/** Younger than this a frame is as new as they come. */
const NOW_MS = 2000;

export function HostCard({ host, signals, hasVoices, isAlone, hear }: Props) {
  const rows: [string, string][] = [
    ['Section', host.section ?? 'none'],
    ['Last frame', host.seen_ms_ago < NOW_MS ? 'now' : `${seconds(host.seen_ms_ago)} ago`],
    ['Heard through', SOURCES[host.source] ?? host.source],
    ['Baseline', host.learnt >= 0.995 ? 'learnt' : `${Math.round(100 * host.learnt)} % learnt`],
    ['Relay', host.version],
    ['Frames', `${host.missed_frames} missed, ${host.late_frames} late`],
  ];
  return (
    <section aria-labelledby="host-title" className="card host-card">
      <h2 id="host-title">{host.name}</h2>
      <p>
        {capital(standing(host, signals))}
        {hasVoices && ' · has the voices'}
      </p>
      <Facts rows={rows} />
      <ul className="oddities">
        {oddities(host).map((odd) => (
          <li key={odd}>
            <span aria-hidden="true">▲</span> {odd}
          </li>
        ))}
      </ul>
      <button type="button" id="hear-host" onClick={() => hear(isAlone ? null : host.name)}>
        {isAlone ? 'Hear all together' : `Hear ${host.name} alone`}
      </button>
    </section>
  );
}
