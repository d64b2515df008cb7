// The card for the scope: khor plays the whole machine, or only a part of it.
import { useEffect } from 'react';
import type { Scope } from '../api/types';
import { Text } from '../controls/fields';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';

/** HTML id of the list of suggested units. */
const UNITS = 'units';

/** Describes the scope in one sentence. */
function scopeText({ whose, is_machine, cgroups }: Scope): string {
  if (is_machine) return 'khor plays the whole machine.';
  const at = cgroups.length === 0 ? '' : ` (${cgroups.join(', ')})`;
  return `khor plays only ${whose}${at}, which has its own baseline.`;
}

export function ScopeCard({ scope }: { scope: Scope }) {
  const { machine, settings } = useStores();
  const units = useObservable(machine.units);
  const values = useObservable(settings.state).values;
  useEffect(() => {
    void machine.fetchUnits();
  }, [machine]);
  const whole = values !== null && values['bpf.cgroup'] === '' && values['bpf.tgid_allow'].length === 0 && values['bpf.tgid_deny'].length === 0;
  const selectAll = () => {
    settings.edit('bpf.cgroup', '', 0);
    settings.edit('bpf.tgid_allow', [], 0);
    settings.edit('bpf.tgid_deny', [], 0);
  };
  return (
    <section aria-labelledby="scope-title" className="card scope">
      <h2 id="scope-title">Scope</h2>
      <p aria-live="polite" id="scope-text">
        {scope.ok ? scopeText(scope) : scope.error}
      </p>
      {!scope.ok && scope.fix !== null && <p className="fix">{scope.fix}</p>}
      <Text path="bpf.cgroup" id="cgroup" label="systemd unit or cgroup path" list={UNITS} />
      <datalist id={UNITS}>
        {units.map((unit) => (
          <option key={unit} value={unit} />
        ))}
      </datalist>
      <div className="buttons">
        <button type="button" id="whole-machine" aria-pressed={whole} disabled={values === null} onClick={selectAll}>
          Play the whole machine
        </button>
      </div>
    </section>
  );
}
