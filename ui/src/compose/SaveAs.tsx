// Saves the edited preset. A built-in preset needs a new name, but a user's own preset can keep its
// name.
import { useState, type SubmitEvent } from 'react';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { nameProblem } from './problems';

export function SaveAs() {
  const { editor, settings } = useStores();
  const { name, draft, problems } = useObservable(editor.state);
  const presets = useObservable(settings.presets);
  const [typed, setTyped] = useState('');
  const builtin = presets.filter((it) => it.builtin).map((it) => it.name);
  const own = name !== null && !builtin.includes(name);
  const wanted = typed === '' && own ? name : typed;
  const problem = typed === '' ? null : nameProblem(typed, builtin);
  const exists = typed !== '' && presets.some((it) => it.name === typed && !it.builtin);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (problem !== null || wanted === '') return;
    setTyped('');
    void editor.saveAs(wanted);
  };
  return (
    <form className="save" onSubmit={submit}>
      <label htmlFor="save-name" className="hidden">
        Name of the saved preset
      </label>
      <input
        type="text"
        id="save-name"
        placeholder={own ? name : 'a new name'}
        value={typed}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem !== null}
        aria-describedby="save-problem"
        onChange={(event) => setTyped(event.target.value)}
      />
      <button type="submit" id="save" className="primary" disabled={draft === null || problems.length > 0 || problem !== null || wanted === ''}>
        {wanted === name || exists ? 'Overwrite' : 'Save as'}
      </button>
      <div className="refusal" id="save-problem" role="status">
        {problem}
      </div>
    </form>
  );
}
