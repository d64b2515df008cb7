// Lists all probes or counters of the source. Unavailable ones come first, each with the reason.
import type { Health } from '../api/types';
import { countedText } from '../now/status';
import { SIGNS } from './HealthPanel';

export function Probes({ health }: { health: Health }) {
  const { probes } = health;
  const sorted = [...probes].sort((a, b) => Number(a.available) - Number(b.available));
  return (
    <section aria-labelledby="probes-title" className="health">
      <h2 id="probes-title">
        {health.source.kind === 'collector' ? 'Probes' : 'Counters'} <span>{countedText(health) ?? ''}</span>
      </h2>
      <ul className="probes">
        {sorted.map(({ name, available, reason }) => (
          <li key={name} data-state={available ? 'ok' : 'problem'}>
            <span className="sign" aria-hidden="true">
              {available ? SIGNS.ok : SIGNS.problem}
            </span>
            <div>
              <code>{name}</code> <span className="state">{available ? 'works' : 'unavailable'}</span>
              {!available && <small>{reason ?? 'no reason given'}</small>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
