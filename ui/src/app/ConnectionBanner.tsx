// Says when the engine is gone, and for a moment when it is back.
import { useEffect, useState } from 'react';
import { useObservable } from '../live/useObservable';
import type { Link } from '../live/store';
import { useStores } from './context';

const BACK_MS = 4000;

export function ConnectionBanner() {
  const link = useObservable(useStores().live.link);
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

  const text =
    link === 'lost'
      ? 'The engine is not answering. What you see is the last it said; this page keeps trying.'
      : back
        ? 'The engine is back.'
        : '';
  return (
    <div className="banner" role="status" data-tone={link === 'lost' ? 'bad' : 'good'} hidden={text === ''}>
      {text}
    </div>
  );
}
