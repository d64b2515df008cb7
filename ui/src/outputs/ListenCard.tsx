// The card that plays the engine's sound in this browser, and shows the URL for media players.
import { at } from '../app/base';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import type { ListenState } from '../listen/store';
import './listen.css';

export function listenText({ wanted, latencyS, gaps, error }: ListenState): string {
  if (!wanted) return 'plays the sound in this browser';
  if (error !== null) return error;
  if (latencyS === null) return 'waiting for sound';
  return `${Math.round(latencyS * 1000)} ms delay, ${gaps === 0 ? 'no gaps' : gaps === 1 ? '1 gap' : `${gaps} gaps`}`;
}

/** A button that starts and stops listening, and a line that describes its state. */
export function ListenButton() {
  const { listen } = useStores();
  const state = useObservable(listen.state);
  return (
    <>
      <button type="button" id="listen" className="primary" aria-pressed={state.wanted} aria-describedby="listen-state" onClick={state.wanted ? listen.stop : listen.start}>
        {state.wanted ? 'Listening' : 'Listen here'}
      </button>
      <small id="listen-state" className={state.error === null ? undefined : 'refusal'}>
        {listenText(state)}
      </small>
    </>
  );
}

export function ListenCard() {
  const listen = useObservable(useStores().health.state)?.listen;
  const address = `${location.origin}${at('/api/listen.wav')}`;
  return (
    <section aria-labelledby="listen-title" className="card">
      <h2 id="listen-title">Listen over the network</h2>
      <div className="act">
        <ListenButton />
      </div>
      <p>In a media player:</p>
      <code className="address">
        mpv <a href={address}>{address}</a>
      </code>
      <p className="note">{listen === undefined ? '\u00a0' : `${listen.listeners} of at most ${listen.at_most} listeners are connected. A recording counts as a listener.`}</p>
    </section>
  );
}
