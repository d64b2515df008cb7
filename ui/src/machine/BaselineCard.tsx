// The card for the baseline. It shows which share of the baseline is learned, and has buttons that
// freeze or reset the baseline.
import { useState, type CSSProperties } from 'react';
import { useStores } from '../app/context';
import type { Baseline } from '../api/types';
import { useObservable } from '../live/useObservable';

export function baselineText({ learnt, learning, frozen }: Baseline): string {
  if (frozen) return 'Frozen: the baseline does not change.';
  if (learning) return `Learning the baseline: ${Math.round((learnt ?? 0) * 100)} % learned. For the rest, khor still assumes the usual activity of a small idle machine.`;
  return 'The baseline is learned. It follows slow changes of each signal, by about two octaves an hour. While a signal stands out, its baseline does not change.';
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
      <h2 id="baseline-title">Baseline</h2>
      <div className="learnt" role="progressbar" aria-label="Share of the baseline that is learned" aria-valuemin={0} aria-valuemax={100} aria-valuenow={share} style={{ '--at': `${share}%` } as CSSProperties} />
      <p aria-live="polite">{baselineText(baseline)}</p>
      <div className="buttons">
        <button type="button" id="freeze" aria-pressed={baseline.frozen} onClick={() => void machine.baseline(baseline.frozen ? 'unfreeze' : 'freeze')}>
          {baseline.frozen ? 'Frozen' : 'Freeze'}
        </button>
        {asked ? (
          <>
            <button type="button" id="forget-yes" onClick={() => { setAsked(false); void machine.baseline('forget'); }}>
              Reset the baseline
            </button>
            <button type="button" onClick={() => setAsked(false)}>
              Keep it
            </button>
          </>
        ) : (
          <button type="button" id="forget" onClick={() => setAsked(true)}>
            Reset…
          </button>
        )}
      </div>
      <div role="alert" className="refusal" hidden={error === null}>
        {error}
      </div>
    </section>
  );
}
