// Where the sound goes, a note to try it with, and an end to notes that hang.
import { useStores } from '../app/stores';
import { useObservable } from '../live/observable';
import { Select, Slider, Switch } from './fields';

/** Of an idle machine's music at half volume. */
const LOUDNESS = [
  { value: '-23', text: 'Background (−23 LUFS)' },
  { value: '-18', text: 'Room (−18 LUFS)' },
  { value: '-16', text: 'Stage (−16 LUFS)' },
];

export function OutputsPanel() {
  const { settings } = useStores();
  const { values, restartRequired } = useObservable(settings.state);
  const devices = useObservable(settings.devices);
  const actionError = useObservable(settings.actionError);
  const standard = devices.find((device) => device.is_default)?.name;
  const options = [
    { value: '', text: standard === undefined ? 'System default' : `System default (${standard})` },
    ...devices.map(({ id, name }) => ({ value: id, text: name })),
  ];
  return (
    <section aria-labelledby="outputs-title" className="panel">
      <h2 id="outputs-title">Outputs</h2>
      <Slider path="audio.master_gain" id="gain" label="Volume" />
      <Select path="audio.device" id="device" label="Sound device" options={options} convert={String} onFocus={() => void settings.refreshDevices()} />
      <Select path="audio.loudness_lufs" id="loudness" label="Loudness" options={LOUDNESS} convert={Number} />
      <div className="switches">
        <Switch path="features.audio" id="feature-audio" label="Sound" />
        <Switch path="features.midi" id="feature-midi" label="MIDI" />
        <Switch path="features.osc" id="feature-osc" label="OSC" />
      </div>
      <div className="test">
        <div className="buttons">
          <button type="button" id="test-note" disabled={values === null} onClick={() => void settings.testNote()}>
            Play a test note
          </button>
          <button type="button" id="panic" disabled={values === null} title="Ends every note that hangs; the music goes on" onClick={() => void settings.panic()}>
            All notes off
          </button>
        </div>
        <div role="alert" className="refusal" hidden={actionError === null}>
          {actionError}
        </div>
      </div>
      {restartRequired && <p className="note">A change only acts after khor is restarted.</p>}
    </section>
  );
}
