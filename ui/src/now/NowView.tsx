// The Now view: sentence, lanes and score on the left, lists on the right. The Listen button
// follows directly after the sentence, so that a phone shows it without scrolling.
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

/** The URL fragment that opens the visualiser directly, for example on a wall screen. */
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
