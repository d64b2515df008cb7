// Shows the sentence about the machine's activity. The line below it names the machine and the
// source, and says why there is no sound.
import { Fragment } from 'react';
import { useAnnounced } from '../app/announced';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { plain, WAITING } from './sentence';
import { badgeOf, scopeTrouble, soundState, statusLine } from './status';
import './sentence.css';

export function Sentence() {
  const { live, health, settings, sentence } = useStores();
  const controls = useObservable(live.text)?.controls ?? null;
  const link = useObservable(live.link);
  const state = useObservable(health.state);
  const shown = useObservable(sentence.current);
  const sound = soundState(state, controls);
  const badge = badgeOf(state);
  const trouble = scopeTrouble(state);
  const waiting = link === 'lost' ? 'The engine is not answering.' : WAITING;
  const text = shown === null ? '' : plain(shown.parts);
  const announced = useAnnounced([badge === null ? '' : `${badge.text}.`, trouble ?? text, sound?.text ?? ''].join(' ').trim(), [badge?.text, trouble, ...(shown?.keys ?? []), sound?.text ?? ''].join());
  return (
    <div className="say">
      <h1>
        {badge !== null && <span className={badge.className}>{badge.text}</span>}
        {shown === null
          ? waiting
          : shown.parts.map((part, i) => (
              <Fragment key={i}>{part.family === undefined ? part.text : <em data-family={part.family}>{part.text}</em>}</Fragment>
            ))}
      </h1>
      <p>
        {trouble !== null && (
          <strong className="sound" data-tone="bad">
            {trouble}
          </strong>
        )}
        {sound !== null && (
          <strong className="sound" data-tone={sound.tone}>
            {sound.text}
          </strong>
        )}
        {sound?.ends === true && (
          <button type="button" className="quiet" id="sound-again" onClick={() => void settings.unmute()}>
            Unmute
          </button>
        )}
        {state === null ? '\u00a0' : statusLine(state)}
      </p>
      <p className="hidden" aria-live="polite">
        {announced}
      </p>
    </div>
  );
}
