// Lists the notes that are sounding now, in words.
import { useEffect, useState } from 'react';
import { useStores } from '../app/context';
import { CATALOGUE } from '../live/catalogue';
import { useObservable } from '../live/useObservable';
import { Mark } from '../theme/Mark';
import { sounding, type Sounding } from './sounding';
import './sounding.css';

const RENEW_MS = 500;
/** Maximum number of rows: two voices, two roles of the pulse, and two roles of the bed. Further
 *  rows are only counted. */
const ROWS = 6;

export function SoundingNow() {
  const { live } = useStores();
  const link = useObservable(live.link);
  const [rows, setRows] = useState<Sounding[]>([]);

  useEffect(() => {
    const renew = () => {
      const now = live.now();
      const signals = live.text.get()?.signals;
      if (now === null || document.hidden) return;
      const label = (name: string) => signals?.[name]?.label ?? CATALOGUE.find((spec) => spec.name === name)?.label ?? name;
      setRows(sounding(live.notes.since(now - 30_000), now, live.bars.barMs, label));
    };
    const timer = setInterval(renew, RENEW_MS);
    return () => clearInterval(timer);
  }, [live]);

  const family = (signal: string | null) =>
    signal === null ? null : (live.text.get()?.signals[signal]?.family ?? CATALOGUE.find((spec) => spec.name === signal)?.family ?? null);
  const shown = rows.slice(0, ROWS);
  return (
    <section aria-labelledby="sounding-title" className="panel sounding-panel">
      <h2 id="sounding-title">
        Sounding now <span>{rows.length > shown.length ? `and ${rows.length - shown.length} more` : ''}</span>
      </h2>
      <ul className="sounding">
        {shown.length === 0 && <li className="none">{link === 'live' ? 'No notes in the last two bars.' : 'Waiting for notes.'}</li>}
        {shown.map((row) => (
          <li key={row.key}>
            <Mark family={family(row.signal)} lit={row.active} />
            <div>
              {row.title}
              <small>{row.detail}</small>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
