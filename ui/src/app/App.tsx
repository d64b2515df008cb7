// The page's frame: header, sentence, lanes and score to the left, words and controls to the right.
import { useObservable } from '../live/observable';
import { ControlsPanel } from '../controls/ControlsPanel';
import { OutputsPanel } from '../controls/OutputsPanel';
import { Header } from '../header/Header';
import { HealthPanel } from '../health/HealthPanel';
import { ListenPanel } from '../listen/ListenPanel';
import { Lanes } from '../now/Lanes';
import { Score } from '../now/Score';
import { Sentence } from '../now/Sentence';
import { SoundingNow } from '../now/SoundingNow';
import { ConnectionBanner } from './ConnectionBanner';
import { useStores } from './stores';
import './layout.css';

export function App() {
  const link = useObservable(useStores().live.link);
  return (
    <>
      <a className="skip" href="#lanes">
        Skip to the lanes
      </a>
      <Header />
      <ConnectionBanner />
      <main data-link={link}>
        <Sentence />
        <div className="picture">
          <Lanes />
          <Score />
        </div>
        <aside aria-label="Sound">
          <SoundingNow />
          <ControlsPanel />
          <OutputsPanel />
          <ListenPanel />
        </aside>
        <HealthPanel />
      </main>
    </>
  );
}
