// Shows the state of one output: a symbol, details, and the fix if the output has a problem.
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
        {row?.detail ?? 'unknown'}
        {row?.fix ? <small className="fix">{row.fix}</small> : null}
      </span>
    </p>
  );
}
