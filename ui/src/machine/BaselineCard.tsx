// What khor knows of what is ordinary here: how far it has learnt, and the ways to hold it or begin anew.
import { useState, type CSSProperties } from 'react';
import { useStores } from '../app/context';
import type { Baseline } from '../api/types';
import { useObservable } from '../live/useObservable';

export function baselineText({ learnt, learning, frozen }: Baseline): string {
  if (frozen) return 'Frozen: nothing new becomes ordinary.';
  if (learning) return `Learning what is ordinary here: ${Math.round((learnt ?? 0) * 100)} % known. Until then it is blended with an ordinary small machine.`;
  return 'Learnt. It follows slow changes, about two octaves an hour, and nothing while a signal stands out.';
}

export function BaselineCard() {
  const { machine, health } = useStores();
  const baseline = useObservable(health.state)?.baseline;
  const error = useObservable(machine.baselineError);
  const [asked, setAsked] = useState(false);
  if (baseline === undefined) return null;
  const share = Math.round((baseline.learnt ?? 0) * 100);
  return (
    <section aria-labelledby="baseline-title" className="card baseline">
      <h2 id="baseline-title">What is ordinary</h2>
      <div className="learnt" role="progressbar" aria-label="Known of what is ordinary" aria-valuemin={0} aria-valuemax={100} aria-valuenow={share} style={{ '--at': `${share}%` } as CSSProperties} />
      <p aria-live="polite">{baselineText(baseline)}</p>
      <div className="buttons">
        <button type="button" id="freeze" aria-pressed={baseline.frozen} onClick={() => void machine.baseline(baseline.frozen ? 'unfreeze' : 'freeze')}>
          {baseline.frozen ? 'Frozen' : 'Freeze'}
        </button>
        {asked ? (
          <>
            <button type="button" id="forget-yes" onClick={() => { setAsked(false); void machine.baseline('forget'); }}>
              Forget it all
            </button>
            <button type="button" onClick={() => setAsked(false)}>
              Keep it
            </button>
          </>
        ) : (
          <button type="button" id="forget" onClick={() => setAsked(true)}>
            Forget…
          </button>
        )}
      </div>
      <div role="alert" className="refusal" hidden={error === null}>
        {error}
      </div>
    </section>
  );
}
