// The snooze menu next to the Mute button. A snooze is a mute that ends after a chosen time.
import { useEffect, useRef, useState } from 'react';
import { useStores } from '../app/context';
import { timeOfDay } from '../format/units';
import { useObservable } from '../live/useObservable';

const CHOICES: readonly [number, string][] = [
  [5, '5 minutes'],
  [15, '15 minutes'],
  [60, 'an hour'],
  [480, '8 hours'],
];

/** Returns the timestamp at which the snooze ends: null without a snooze, undefined until the state
 *  is known. */
export function useSnooze(): number | null | undefined {
  return useObservable(useStores().live.text)?.controls.snoozed_until_ts_ms;
}

export function Snooze() {
  const { settings } = useStores();
  const controls = useObservable(useStores().live.text)?.controls;
  const silence = controls?.silence;
  const quiet = silence?.reason === 'quiet_hours' ? silence.until : null;
  const until = useSnooze() ?? null;
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      box.current?.querySelector('button')?.focus();
    };
    addEventListener('pointerdown', outside);
    addEventListener('focusin', outside);
    addEventListener('keydown', escape);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('focusin', outside);
      removeEventListener('keydown', escape);
    };
  }, [open]);
  const choose = (minutes: number) => {
    setOpen(false);
    void settings.snooze(minutes);
  };
  const unmute = () => {
    setOpen(false);
    void (quiet === null ? settings.snooze(0) : settings.unmute());
  };
  const words = quiet !== null ? `Quiet hours until ${timeOfDay(quiet)}` : until !== null ? `Snoozed until ${timeOfDay(until)}` : 'Snooze: mute for a while';
  return (
    <div className="snooze" ref={box}>
      <button type="button" className="icon" id="snooze" aria-label={words} title={words} aria-expanded={open} aria-controls="snooze-menu" data-on={until !== null || quiet !== null} disabled={controls === undefined} onClick={() => setOpen(!open)}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M8 2.5a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM8 5v3.7l2.6 1.6M2 3.2L4 1.5M14 3.2L12 1.5" strokeLinecap="round" strokeLinejoin="round" />
        </svg>
      </button>
      <div className="menu" id="snooze-menu" role="group" aria-label="Snooze" hidden={!open}>
        <p>{until === null && quiet === null ? 'Mute for' : words}</p>
        {CHOICES.map(([minutes, text]) => (
          <button type="button" key={minutes} data-minutes={minutes} onClick={() => choose(minutes)}>
            {text}
          </button>
        ))}
        {(until !== null || quiet !== null) && (
          <button type="button" data-minutes="0" onClick={unmute}>
            Unmute
          </button>
        )}
      </div>
    </div>
  );
}
