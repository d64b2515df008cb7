// Edits the fields of a preset that are not part of its mapping: the hint (a short description) and
// the swing.
import type { CSSProperties } from 'react';
import { useStores } from '../app/context';
import type { PresetFile } from '../api/types';

/** Maximum swing, as a share of a step. With more swing, a delayed note would be closer to the next
 *  step than to its own. */
const MOST_SWING = 0.5;

export function PresetFields({ file }: { file: PresetFile }) {
  const { editor } = useStores();
  const swing = file.swing;
  const share = Math.round((swing / MOST_SWING) * 100);
  return (
    <div className="preset-fields">
      <div className="field">
        <label htmlFor="hint">Hint</label>
        <input type="text" id="hint" value={file.hint} onChange={(event) => editor.edit((it) => ({ ...it, hint: event.target.value }), 'hint')} />
      </div>
      <div className="field">
        <label htmlFor="swing">Swing</label>
        <div className="with-output">
          <input
            type="range"
            id="swing"
            min={0}
            max={MOST_SWING}
            step={0.01}
            value={swing}
            style={{ '--at': `${share}%` } as CSSProperties}
            aria-valuetext={`${Math.round(swing * 100)} % of a step`}
            onChange={(event) => editor.edit((it) => ({ ...it, swing: Number(event.target.value) }), 'swing')}
          />
          <output htmlFor="swing">{Math.round(swing * 100)} %</output>
        </div>
      </div>
    </div>
  );
}
