// The Compose view: the preset, the musical settings, and the mapping from signals to music.
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { Editor } from './Editor';
import { MusicPanel } from './MusicPanel';
import { PresetList } from './PresetList';
import './compose.css';

export function ComposeView() {
  const { editor, settings } = useStores();
  const known = useObservable(settings.presets).length > 0;
  const vocabulary = useObservable(editor.vocabulary);
  return (
    <>
      <div className="head">
        <h1>Compose</h1>
        <p>Choose a preset, set tempo and key, and map signals to features of the music.</p>
      </div>
      {known ? (
        <div className="compose">
          <PresetList />
          <MusicPanel />
          {vocabulary !== null && <Editor vocabulary={vocabulary} />}
        </div>
      ) : (
        <p className="note">Loading…</p>
      )}
    </>
  );
}
