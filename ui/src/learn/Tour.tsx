// The guided tour: short clips that play one after another, each with an explanation.
import { useCallback, useEffect, useRef, useState, type CSSProperties } from 'react';
import { useStores } from '../app/context';
import { useSnooze } from '../header/Snooze';
import { useObservable } from '../live/useObservable';
import { Mark } from '../theme/Mark';
import type { Clip } from './clips';
import { route, STOP_S } from './tour';

/** Length of the snooze during the tour, in minutes. It is longer than the tour. The snooze ends by
 *  itself even if the browser crashes. */
const SNOOZE_MIN = 2;

/** Snoozes the engine's live music during the tour, if the user wants this and the engine supports
 *  it. */
function useQuiet() {
  const { settings, live } = useStores();
  const possible = useSnooze() !== undefined;
  const [wanted, setWanted] = useState(true);
  const snoozed = useRef(false);
  const quiet = useCallback(
    (on: boolean, leaving = false) => {
      const controls = live.text.get()?.controls;
      // If the user has already muted the engine, leave it muted.
      if (on && (!wanted || !possible || snoozed.current || controls?.muted === true)) return;
      if (!on && !snoozed.current) return;
      snoozed.current = on;
      void settings.snooze(on ? SNOOZE_MIN : 0, leaving);
    },
    [settings, live, wanted, possible],
  );
  return { possible, wanted, setWanted, quiet };
}

export function Tour({ clips }: { clips: readonly Clip[] }) {
  const { learn } = useStores();
  const playing = useObservable(learn.playing);
  const { possible, wanted, setWanted, quiet } = useQuiet();
  const stops = route(clips);
  const [at, setAt] = useState(0);
  const [running, setRunning] = useState(false);
  const here = stops[at];
  const end = useRef(quiet);
  useEffect(() => {
    end.current = quiet;
  }, [quiet]);
  useEffect(() => {
    // End the snooze at once if the user closes or reloads the page during the tour.
    const leave = () => end.current(false, true);
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pagehide', leave);
      end.current(false);
    };
  }, []);

  const stop = () => {
    setRunning(false);
    learn.stop();
    quiet(false);
  };
  const go = (index: number) => {
    const next = stops[index];
    if (next === undefined) {
      stop();
      setAt(0);
      return;
    }
    setAt(index);
    setRunning(true);
    quiet(true);
    const interrupted = () => {
      setRunning(false);
      quiet(false);
    };
    learn.play(next.clip, { by: 'tour', seconds: STOP_S, ended: () => go(index + 1), interrupted });
  };
  const on = running && playing?.clip === here?.clip;
  if (here === undefined) return null;
  const share = on ? Math.min(1, (playing?.at ?? 0) / Math.min(STOP_S, here.clip.seconds)) : 0;
  return (
    <section className="card tour" aria-labelledby="tour-title" data-family={here.stop.family ?? 'none'}>
      <h2 id="tour-title">
        The tour{' '}
        <span>
          {at + 1} of {stops.length}
        </span>
      </h2>
      <ol className="steps" aria-label="Stops">
        {stops.map(({ stop: it }, i) => (
          <li key={it.scenario}>
            <button type="button" aria-label={`${i + 1}: ${it.title}`} aria-current={i === at ? 'step' : undefined} onClick={() => go(i)} style={{ '--share': i < at ? 1 : i === at ? share : 0 } as CSSProperties} />
          </li>
        ))}
      </ol>
      <div className="stop" aria-live="polite">
        <h3>
          <Mark family={here.stop.family} lit={on} />
          {here.stop.title} <span>{here.stop.layer === 'all' ? 'all layers' : here.stop.layer}</span>
        </h3>
        <p>{here.stop.words}</p>
      </div>
      <div className="buttons">
        <button type="button" id="tour" className="primary" aria-pressed={on} onClick={() => (on ? stop() : go(at))}>
          {on ? 'Stop' : at === 0 ? 'Start the tour' : 'Continue'}
        </button>
        <button type="button" id="tour-next" disabled={at + 1 >= stops.length} onClick={() => go(at + 1)}>
          Next
        </button>
        {possible && (
          <label className="check">
            <input type="checkbox" checked={wanted} onChange={(event) => setWanted(event.target.checked)} /> mute the live music during the tour
          </label>
        )}
      </div>
    </section>
  );
}
