// The Machine view: the state of khor's parts, the baseline, the scope, and links for other
// programs.
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { BaselineCard } from './BaselineCard';
import { Doctor } from './Doctor';
import { HealthPanel } from './HealthPanel';
import { Host } from './Host';
import { Places } from './Places';
import { Probes } from './Probes';
import { ScopeCard } from './ScopeCard';
import './machine.css';

export function MachineView() {
  const health = useObservable(useStores().health.state);
  return (
    <>
      <div className="head">
        <h1>Machine</h1>
        <p>The state of each part of khor, and how to fix its problems.</p>
      </div>
      {health === null ? (
        <p className="note">Loading…</p>
      ) : (
        <div className="machine">
          <HealthPanel health={health} />
          <div className="cards">
            <Host health={health} />
            {health.source.kind !== 'site' && <ScopeCard scope={health.scope} />}
            <BaselineCard />
            <Places />
          </div>
          {health.probes.length > 0 && <Probes health={health} />}
          <Doctor />
        </div>
      )}
    </>
  );
}
