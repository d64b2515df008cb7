// The view Now: sentence, lanes and score at the left, words at the right. The Listen button follows
// the sentence, so that it is on a phone's first screen.
import { Suspense, useEffect, useState } from 'react';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { ListenButton } from '../outputs/ListenCard';
import { Cues } from './Cues';
import { Lanes } from './Lanes';
import { Visual } from './later';
import { Score } from './Score';
import { Sentence } from './Sentence';
import { SoundingNow } from './SoundingNow';
import './now.css';

/** The visualiser has an address of its own, so that a screen on a wall can open it. */
const VISUAL = '#look';

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = () => setHash(location.hash);
    addEventListener('hashchange', read);
    addEventListener('popstate', read);
    return () => {
      removeEventListener('hashchange', read);
      removeEventListener('popstate', read);
    };
  }, []);
  return hash;
}

export function NowView() {
  const looking = useHash() === VISUAL;
  const link = useObservable(useStores().live.link);
  return (
    <div className="now">
      <Sentence />
      <div className="hand" role="group" aria-label="Listen and look">
        <ListenButton />
        <a className="button" id="look" href={VISUAL}>
          Look at it
        </a>
      </div>
      <div className="picture">
        <Lanes />
        <Score />
      </div>
      <aside aria-label="Sound">
        <SoundingNow />
        <Cues />
      </aside>
      <Suspense>{looking && <Visual close={() => { location.hash = ''; }} lost={link === 'lost'} />}</Suspense>
    </div>
  );
}
