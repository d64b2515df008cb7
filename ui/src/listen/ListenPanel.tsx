// Hearing the engine in this browser, and recording what it plays.
import { useStores } from '../app/stores';
import { duration } from '../format/units';
import { useObservable } from '../live/observable';
import type { ListenState } from './store';
import './listen.css';

function listenText({ wanted, latencyS, gaps, error }: ListenState): string {
  if (!wanted) return 'what the machine plays, in this browser';
  if (error !== null) return error;
  if (latencyS === null) return 'waiting for the first sound';
  return `${Math.round(latencyS * 1000)} ms behind, ${gaps === 0 ? 'no gaps' : gaps === 1 ? '1 gap' : `${gaps} gaps`}`;
}

function Listen() {
  const { listen } = useStores();
  const state = useObservable(listen.state);
  return (
    <div className="act">
      <button type="button" id="listen" aria-pressed={state.wanted} aria-describedby="listen-state" onClick={state.wanted ? listen.stop : listen.start}>
        Listen here
      </button>
      <span id="listen-state" className={state.error === null ? undefined : 'refusal'}>
        {listenText(state)}
      </span>
    </div>
  );
}

function Record() {
  const { recorder, health } = useStores();
  const recording = useObservable(health.state)?.recording;
  const refused = useObservable(recorder.error);
  const name = recording?.file?.split('/').pop();
  const error = refused ?? recording?.error ?? null;
  return (
    <div className="act">
      <button
        type="button"
        id="record"
        disabled={recording === undefined}
        aria-pressed={recording?.recording ?? false}
        aria-describedby="record-state"
        onClick={() => void (recording?.recording === true ? recorder.stop() : recorder.start())}
      >
        Record
      </button>
      <span id="record-state" className={error === null ? undefined : 'refusal'}>
        {error ?? (name === undefined || recording === undefined ? 'what it plays, as a FLAC file' : null)}
        {error === null && recording?.recording === true && `recording, ${duration(recording.seconds)}`}
        {error === null && recording?.recording === false && name !== undefined && (
          <>
            {duration(recording.seconds)} in <a href={`/api/recordings/${encodeURIComponent(name)}`} download>{name}</a>
          </>
        )}
      </span>
    </div>
  );
}

export function ListenPanel() {
  return (
    <section aria-labelledby="listen-title" className="panel">
      <h2 id="listen-title">Listen and keep</h2>
      <Listen />
      <Record />
    </section>
  );
}
