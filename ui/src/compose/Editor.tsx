// The preset editor. The engine checks every change, and the user can preview and undo unsaved
// changes.
import { useEffect, type KeyboardEvent } from 'react';
import { useStores } from '../app/context';
import type { Vocabulary } from '../api/types';
import { useObservable } from '../live/useObservable';
import { edited } from './draft';
import { Mapping } from './Mapping';
import { PresetFields } from './PresetFields';
import { sortProblems } from './problems';
import { SaveAs } from './SaveAs';

function Tools() {
  const { editor, settings } = useStores();
  const { draft, name, problems } = useObservable(editor.state);
  const previewing = useObservable(settings.previewing) === name;
  return (
    <div className="tools buttons">
      <button type="button" id="preview" aria-pressed={previewing} disabled={draft === null || (!previewing && problems.length > 0)} onClick={() => void (previewing ? editor.endPreview() : editor.preview())}>
        {previewing ? 'End preview' : 'Preview'}
      </button>
      <button type="button" id="undo" disabled={draft === null || draft.past.length === 0} onClick={editor.undo}>
        Undo
      </button>
      <button type="button" id="redo" disabled={draft === null || draft.future.length === 0} onClick={editor.redo}>
        Redo
      </button>
      <button type="button" id="revert" disabled={draft === null || !edited(draft)} onClick={editor.revert}>
        Revert
      </button>
    </div>
  );
}

export function Editor({ vocabulary }: { vocabulary: Vocabulary }) {
  const { editor, settings } = useStores();
  const chosen = useObservable(settings.state).values?.['music.preset'];
  const { draft, name, problems, error, done } = useObservable(editor.state);
  useEffect(() => {
    if (chosen !== undefined && chosen !== editor.state.get().name) void editor.open(chosen);
  }, [editor, chosen]);

  const key = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const pressed = event.key.toLowerCase();
    if (pressed !== 'z' && pressed !== 'y') return;
    event.preventDefault();
    if (pressed === 'y' || event.shiftKey) editor.redo();
    else editor.undo();
  };
  const sorted = sortProblems(problems, draft?.file.map?.length ?? 0);
  const status = problems.length === 0 ? (draft !== null && edited(draft) ? 'edited, no problems' : '') : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  return (
    <section aria-labelledby="mapping-title" className="editor" onKeyDown={key}>
      <div className="bar">
        <h2 id="mapping-title">
          Mapping of {name ?? '…'} <span aria-live="polite">{done ?? status}</span>
        </h2>
        <Tools />
        <SaveAs />
      </div>
      <div role="alert" className="refusal" hidden={error === null && sorted.others.length === 0}>
        {[...(error === null ? [] : [error]), ...sorted.others].join('; ')}
      </div>
      {draft !== null && (
        <>
          <PresetFields file={draft.file} />
          <Mapping file={draft.file} vocabulary={vocabulary} problems={sorted.routes} />
        </>
      )}
    </section>
  );
}
