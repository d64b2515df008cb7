// The state of an output: a sign, words, and the fix if it has a problem.
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { SIGNS } from '../machine/HealthPanel';
import { partRows } from '../machine/parts';

export function PartState({ part }: { part: string }) {
  const health = useObservable(useStores().health.state);
  const row = health === null ? undefined : partRows(health).find((it) => it.name === part);
  return (
    <p className="part-state" data-state={row?.state ?? 'disabled'}>
      <span className="sign" aria-hidden="true">
        {row === undefined ? '–' : SIGNS[row.state]}
      </span>
      <span>
        {row?.detail ?? 'not known yet'}
        {row?.fix ? <small className="fix">{row.fix}</small> : null}
      </span>
    </p>
  );
}
