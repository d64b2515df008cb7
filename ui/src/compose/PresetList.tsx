// The list of presets, each with a short description. A selected preset plays from the next bar on.
import { useState } from 'react';
import { useStores } from '../app/context';
import type { Preset } from '../api/types';
import { useObservable } from '../live/useObservable';

function Entry({ preset, chosen }: { preset: Preset; chosen: boolean }) {
  const { settings, editor } = useStores();
  const [asked, setAsked] = useState(false);
  const supported = useObservable(editor.vocabulary) !== null;
  useObservable(editor.state); // The list marks edited presets, so an edit must render it again.
  const { name, hint, builtin } = preset;
  return (
    <li data-chosen={chosen}>
      <input type="radio" name="preset" id={`preset-${name}`} value={name} checked={chosen} onChange={() => settings.edit('music.preset', name, 0)} />
      <label htmlFor={`preset-${name}`}>
        <b>{name}</b>
        <span className="tags">{[...(builtin ? [] : ['yours']), ...(editor.isEdited(name) ? ['edited'] : [])].join(', ')}</span>
        <small>{hint}</small>
      </label>
      {!builtin && supported && (
        <div className="buttons">
          {asked ? (
            <>
              <button type="button" onClick={() => { setAsked(false); void editor.remove(name); }}>
                Delete {name}
              </button>
              <button type="button" onClick={() => setAsked(false)}>
                Keep
              </button>
            </>
          ) : (
            <button type="button" className="quiet" data-delete={name} onClick={() => setAsked(true)}>
              Delete…
            </button>
          )}
        </div>
      )}
    </li>
  );
}

/** A notice with a button that ends the preview. It is visible while the engine plays an unsaved
 *  preset as a preview, even if another client has started the preview. */
function Unsaved() {
  const { settings, editor } = useStores();
  const previewing = useObservable(settings.previewing);
  if (previewing === null) return null;
  return (
    <p className="unsaved" role="status">
      An unsaved version of {previewing} is playing.{' '}
      <button type="button" id="end-preview" onClick={() => void editor.endPreview()}>
        End preview
      </button>
    </p>
  );
}

export function PresetList() {
  const { settings } = useStores();
  const problems = useObservable(settings.presetProblems);
  const presets = useObservable(settings.presets);
  const { values, errors } = useObservable(settings.state);
  const chosen = values?.['music.preset'];
  const error = errors['music.preset'];
  return (
    <section aria-labelledby="presets-title" className="presets">
      <h2 id="presets-title">Presets</h2>
      <Unsaved />
      <div role="radiogroup" aria-labelledby="presets-title">
        <ul>
        {presets.map((preset) => (
          <Entry key={preset.name} preset={preset} chosen={preset.name === chosen} />
        ))}
        </ul>
      </div>
      <div role="alert" className="refusal" hidden={error === undefined}>
        {error}
      </div>
      {problems.map((problem) => (
        <p key={problem} className="refusal">
          {problem}
        </p>
      ))}
    </section>
  );
}
