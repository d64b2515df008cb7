// Handles the keyboard shortcuts in every view, and lists them in a dialog.
import { useEffect, useRef } from 'react';
import { useObservable } from '../live/useObservable';
import { keyOf, KEYS, neighbour, SNOOZE_MIN } from './shortcuts';
import { useStores } from './context';
import './keys.css';

/** Runs the action of a keyboard shortcut when the user presses its key. */
function useKeys(): void {
  const { keys, settings, live } = useStores();
  useEffect(() => {
    const step = (places: number) => {
      const name = neighbour(settings.presets.get().map((preset) => preset.name), settings.state.get().values?.['music.preset'], places);
      if (name !== undefined) settings.edit('music.preset', name, 0);
    };
    const does: Record<string, () => void> = {
      m: () => {
        const muted = settings.state.get().values?.muted;
        if (muted !== undefined) settings.edit('muted', !muted, 0);
      },
      s: () => {
        const until = live.text.get()?.controls.snoozed_until_ts_ms;
        if (until !== undefined) void settings.snooze(until === null ? SNOOZE_MIN : 0);
      },
      n: () => step(1),
      p: () => step(-1),
      '?': () => keys.help.set(!keys.help.get()),
    };
    const press = (event: KeyboardEvent) => {
      const key = keyOf(event);
      // The key `?` works even if the shortcuts are switched off.
      if (key === null || (key !== '?' && !keys.on.get())) return;
      event.preventDefault();
      does[key]?.();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [keys, settings, live]);
}

function Help() {
  const { keys } = useStores();
  const on = useObservable(keys.on);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const close = () => keys.help.set(false);
  return (
    <dialog className="keys" ref={dialog} aria-labelledby="keys-title" onCancel={close} onClick={(event) => { if (event.target === dialog.current) close(); }}>
      <div>
        <h2 id="keys-title">Keyboard shortcuts, the same as in khor top</h2>
        <dl>
          {KEYS.map(([key, does]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <label className="check">
          <input type="checkbox" id="keys-on" checked={on} onChange={(event) => keys.turn(event.target.checked)} /> use these shortcuts (? always works)
        </label>
        <div className="buttons">
          <button type="button" id="keys-close" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}

export function Keys() {
  const { keys } = useStores();
  useKeys();
  return useObservable(keys.help) ? <Help /> : null;
}

/** The button that opens the list of shortcuts. It is hidden on phones, which have no keyboard. */
export function KeysButton() {
  const { keys } = useStores();
  return (
    <button type="button" className="icon keys-button" id="keys" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" aria-haspopup="dialog" onClick={() => keys.help.set(true)}>
      ?
    </button>
  );
}
