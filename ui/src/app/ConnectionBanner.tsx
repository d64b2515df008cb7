// Shows a banner while the engine does not answer, when it answers again, and after it was updated.
import { useEffect, useState } from 'react';
import { useObservable } from '../live/useObservable';
import type { Link } from '../live/store';
import { useStores } from './context';

/** After a reconnection, the banner says for this time, in milliseconds, that the engine answers
 *  again. */
const BACK_MS = 4000;

function words(link: Link, updated: boolean, back: boolean): string {
  if (link === 'lost') return 'The engine is not answering. This page shows the last values and tries to reconnect.';
  if (updated) return 'The engine was updated. Reload this page.';
  return back ? 'The engine answers again.' : '';
}

export function ConnectionBanner() {
  const { live } = useStores();
  const link = useObservable(live.link);
  const updated = useObservable(live.updated);
  const [before, setBefore] = useState<Link>(link);
  const [back, setBack] = useState(false);
  if (before !== link) {
    setBefore(link);
    setBack(before === 'lost' && link === 'live');
  }
  useEffect(() => {
    if (!back) return;
    const timer = setTimeout(() => setBack(false), BACK_MS);
    return () => clearTimeout(timer);
  }, [back]);

  const text = words(link, updated, back);
  return (
    <div className="banner" role="status" data-tone={link === 'lost' ? 'bad' : 'good'} hidden={text === ''}>
      {text}
    </div>
  );
}
