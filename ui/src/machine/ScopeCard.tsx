// The scope: the whole machine, or one unit of it.
import { useEffect } from 'react';
import type { Scope } from '../api/types';
import { Text } from '../controls/fields';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';

const UNITS = 'units';

/** Describes the scope in one sentence. */
function heard({ whose, is_machine, cgroups }: Scope): string {
  if (is_machine) return 'The whole machine is heard.';
  const at = cgroups.length === 0 ? '' : ` (${cgroups.join(', ')})`;
  return `Only ${whose}${at} is heard. It has its own baseline.`;
}

export function ScopeCard({ scope }: { scope: Scope }) {
  const { machine, settings } = useStores();
  const units = useObservable(machine.units);
  const values = useObservable(settings.state).values;
  useEffect(() => {
    void machine.lookForUnits();
  }, [machine]);
  const whole = values !== null && values['bpf.cgroup'] === '' && values['bpf.tgid_allow'].length === 0 && values['bpf.tgid_deny'].length === 0;
  const hearAll = () => {
    settings.edit('bpf.cgroup', '', 0);
    settings.edit('bpf.tgid_allow', [], 0);
    settings.edit('bpf.tgid_deny', [], 0);
  };
  return (
    <section aria-labelledby="scope-title" className="card scope">
      <h2 id="scope-title">Whose sound</h2>
      <p aria-live="polite" id="scope-heard">
        {scope.ok ? heard(scope) : scope.error}
      </p>
      {!scope.ok && scope.fix !== null && <p className="fix">{scope.fix}</p>}
      <Text path="bpf.cgroup" id="cgroup" label="One unit, or a cgroup’s path" list={UNITS} />
      <datalist id={UNITS}>
        {units.map((unit) => (
          <option key={unit} value={unit} />
        ))}
      </datalist>
      <div className="buttons">
        <button type="button" id="whole-machine" aria-pressed={whole} disabled={values === null} onClick={hearAll}>
          The whole machine
        </button>
      </div>
    </section>
  );
}
