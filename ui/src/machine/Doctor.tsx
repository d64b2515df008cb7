// Shows the results of `khor doctor`, which checks the machine. Hidden if the engine does not offer
// these checks.
import { useEffect } from 'react';
import { useStores } from '../app/context';
import type { CheckState } from '../api/types';
import { useObservable } from '../live/useObservable';
import { Part } from './HealthPanel';
import type { PartState } from './parts';

/** Sort order of the checks: those with problems come first. */
const ORDER: Record<CheckState, number> = { problem: 0, ok: 1, off: 2 };
const STATES: Record<CheckState, PartState> = { ok: 'ok', problem: 'problem', off: 'disabled' };

export function Doctor() {
  const { machine, live } = useStores();
  const session = useObservable(live.session);
  const doctor = useObservable(machine.doctor);
  useEffect(() => {
    void machine.runDoctor();
  }, [machine, session]);
  if (doctor.kind === 'unsupported' || doctor.kind === 'unknown') return null;
  return (
    <section aria-labelledby="doctor-title" className="health doctor">
      <h2 id="doctor-title">
        Doctor <span>what khor needs from this machine</span>
      </h2>
      {doctor.kind === 'failed' ? (
        <p className="refusal">{doctor.error}</p>
      ) : (
        <ul>
          {doctor.checks.toSorted((a, b) => ORDER[a.state] - ORDER[b.state]).map(({ name, state, detail, fix }) => (
            <Part key={name} part={{ name, state: STATES[state], detail, fix }} />
          ))}
        </ul>
      )}
      <button type="button" id="examine" onClick={() => void machine.runDoctor()}>
        Check again
      </button>
    </section>
  );
}
