// Which parts of khor work, and for those that do not, why and what to do.
import { useStores } from '../app/stores';
import type { Probe } from '../api/types';
import { useObservable } from '../live/observable';
import { partRows, type PartRow, type PartState } from './parts';
import './health.css';

const WORDS: Record<PartState, string> = { ok: 'ok', disabled: 'off', problem: 'problem', fallback: 'fallback', demo: 'demo', capture: 'capture' };
const SIGNS: Record<PartState, string> = { ok: '✓', disabled: '–', problem: '▲', fallback: '◆', demo: '◆', capture: '◆' };

function Part({ part }: { part: PartRow }) {
  return (
    <li data-state={part.state}>
      <span className="sign" aria-hidden="true">
        {SIGNS[part.state]}
      </span>
      <div>
        <b>{part.name}</b> <span className="state">{WORDS[part.state]}</span>
        {part.detail !== '' && <small>{part.detail}</small>}
        {part.fix !== null && <small className="fix">{part.fix}</small>}
      </div>
    </li>
  );
}

function Probes({ probes }: { probes: readonly Probe[] }) {
  const live = probes.filter((probe) => probe.available).length;
  return (
    <details>
      <summary>
        Probes: {live} of {probes.length} live
      </summary>
      <ul className="probes">
        {probes.map((probe) => (
          <li key={probe.name} data-state={probe.available ? 'ok' : 'problem'}>
            <span className="sign" aria-hidden="true">
              {probe.available ? SIGNS.ok : SIGNS.problem}
            </span>
            <div>
              {probe.name} <span className="hidden">{probe.available ? 'live' : 'absent'}</span>
              {!probe.available && <small>{probe.reason ?? 'no reason given'}</small>}
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function HealthPanel() {
  const health = useObservable(useStores().health.state);
  return (
    <section aria-labelledby="health-title" className="panel health">
      <h2 id="health-title">Health</h2>
      {health === null ? (
        <p className="note">Not known yet.</p>
      ) : (
        <>
          <ul>
            {partRows(health).map((part) => (
              <Part key={part.name} part={part} />
            ))}
          </ul>
          {health.probes.length > 0 && <Probes probes={health.probes} />}
          <p className="version">khor {health.version}</p>
        </>
      )}
    </section>
  );
}
