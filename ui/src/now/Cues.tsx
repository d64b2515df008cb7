// The list of cues, newest first. Screen readers announce each new cue.
import { useStores } from '../app/context';
import type { Cue } from '../api/types';
import { clock } from '../format/units';
import { useObservable } from '../live/useObservable';
import { cueText, cueWords } from './cueWords';
import './cues.css';

const ROWS = 5;

function Row({ cue }: { cue: Cue }) {
  const { event, subject, detail, family } = cueWords(cue);
  return (
    <li data-family={family ?? 'bad'}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M2.5 3.5h11L8 13z" strokeLinejoin="round" />
      </svg>
      <div>
        {event}
        <small>
          {subject !== null && <b>{subject}</b>}
          {subject !== null && detail !== '' && ', '}
          {detail}
        </small>
      </div>
      <time dateTime={new Date(cue.ts_ms).toISOString()}>{clock(cue.ts_ms)}</time>
    </li>
  );
}

export function Cues() {
  const cues = useObservable(useStores().live.cues.list);
  const newest = cues[0];
  const rows = cues.slice(0, ROWS);
  return (
    <section aria-labelledby="cues-title" className="panel cues-panel">
      <h2 id="cues-title">
        Cues <span>{cues.length > ROWS ? `the last ${ROWS} of ${cues.length}` : 'crashes, kills, disk errors'}</span>
      </h2>
      <ul className="cues">
        {rows.length === 0 && <li className="none">No cues yet.</li>}
        {rows.map((cue, i) => (
          <Row key={`${cue.ts_ms}-${cue.kind}-${cue.pid ?? ''}-${i}`} cue={cue} />
        ))}
      </ul>
      <p className="hidden" aria-live="polite">
        {newest === undefined || newest.kind === 'exec' ? '' : cueText(newest)}
      </p>
    </section>
  );
}
