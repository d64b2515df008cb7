// Where the sound goes, and a note to try it with.
import { useStores } from '../app/stores';
import { useObservable } from '../live/observable';
import { Select, Slider, Switch } from './fields';

export function OutputsPanel() {
  const { settings } = useStores();
  const { values, restartRequired } = useObservable(settings.state);
  const devices = useObservable(settings.devices);
  const testError = useObservable(settings.testError);
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
      <div className="switches">
        <Switch path="features.audio" id="feature-audio" label="Sound" />
        <Switch path="features.midi" id="feature-midi" label="MIDI" />
        <Switch path="features.osc" id="feature-osc" label="OSC" />
      </div>
      <div className="test">
        <button type="button" id="test-note" disabled={values === null} onClick={() => void settings.testNote()}>
          Play a test note
        </button>
        <div role="alert" className="refusal" hidden={testError === null}>
          {testError}
        </div>
      </div>
      {restartRequired && <p className="note">A change only acts after khor is restarted.</p>}
    </section>
  );
}
