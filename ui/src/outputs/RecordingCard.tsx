// The card that records the engine's sound to files, and lists them for download.
import { useEffect, useState } from 'react';
import { at } from '../app/base';
import { useStores } from '../app/context';
import { duration, size } from '../format/units';
import { useObservable } from '../live/useObservable';

function Files() {
  const { recorder } = useStores();
  const files = useObservable(recorder.files);
  if (files === null) return null;
  if (files.length === 0) return <p className="note">No recordings yet.</p>;
  return (
    <ul className="files" aria-label="Recordings" tabIndex={0}>
      {files.toReversed().map(({ name, bytes }) => (
        <li key={name}>
          <a href={at(`/api/recordings/${encodeURIComponent(name)}`)} download>
            {name}
          </a>
          <span>{size(bytes)}</span>
        </li>
      ))}
    </ul>
  );
}

export function RecordingCard() {
  const { recorder, health } = useStores();
  const [format, setFormat] = useState('flac');
  const recording = useObservable(health.state)?.recording;
  const failure = useObservable(recorder.error);
  const on = recording?.recording === true;
  const error = failure ?? recording?.error ?? null;
  useEffect(() => {
    void recorder.list();
  }, [recorder, on]);
  return (
    <section aria-labelledby="recording-title" className="card">
      <h2 id="recording-title">Recording</h2>
      <div className="act">
        <button type="button" id="record" className="primary" disabled={recording === undefined} aria-pressed={on} aria-describedby="record-state" onClick={() => void (on ? recorder.stop() : recorder.start(format))}>
          {on ? 'Stop' : 'Record'}
        </button>
        <small id="record-state" className={error === null ? undefined : 'refusal'}>
          {error ?? (on ? `recording, ${duration(recording.seconds)}` : !recording?.file ? 'records the sound with 24 bits per sample' : `saved, ${duration(recording.seconds)}`)}
        </small>
      </div>
      <div className="field">
        <label htmlFor="record-format">Format</label>
        <select id="record-format" value={format} disabled={on} onChange={(event) => setFormat(event.target.value)}>
          <option value="flac">FLAC</option>
          <option value="wav">WAV</option>
        </select>
      </div>
      <Files />
    </section>
  );
}
