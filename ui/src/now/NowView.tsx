// The view Now: sentence, lanes and score at the left, lists at the right. The Listen button
// follows the sentence, so that it is on a phone's first screen.
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

/** The address of the visualiser, so that for example a wall screen can open it directly. */
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
      <div className="hand" role="group" aria-label="Listen and watch">
        <ListenButton />
        <a className="button" id="look" href={VISUAL}>
          Visualiser
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
