// Every probe, the absent ones first with the reason.
import type { Probe } from '../api/types';
import { SIGNS } from './HealthPanel';

export function Probes({ probes }: { probes: readonly Probe[] }) {
  const live = probes.filter((probe) => probe.available).length;
  const sorted = [...probes].sort((a, b) => Number(a.available) - Number(b.available));
  return (
    <section aria-labelledby="probes-title" className="health">
      <h2 id="probes-title">
        Probes <span>{`${live} of ${probes.length} live`}</span>
      </h2>
      <ul className="probes">
        {sorted.map(({ name, available, reason }) => (
          <li key={name} data-state={available ? 'ok' : 'problem'}>
            <span className="sign" aria-hidden="true">
              {available ? SIGNS.ok : SIGNS.problem}
            </span>
            <div>
              <code>{name}</code> <span className="state">{available ? 'live' : 'absent'}</span>
              {!available && <small>{reason ?? 'no reason given'}</small>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
