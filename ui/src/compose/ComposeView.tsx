// The view Compose: the preset, tempo and pitch, and the mapping from signals to music.
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
        <p>Choose a character, set pace and pitch, and decide what each signal moves.</p>
      </div>
      {known ? (
        <div className="compose">
          <PresetList />
          <MusicPanel />
          {vocabulary !== null && <Editor vocabulary={vocabulary} />}
        </div>
      ) : (
        <p className="note">Asking the engine…</p>
      )}
    </>
  );
}
