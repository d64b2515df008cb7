// The card for the loudspeaker: device, loudness, mute, snooze, quiet hours, and a test note.
import { CHOICES } from '../api/ranges';
import { Facts } from '../app/Facts';
import { useStores } from '../app/context';
import { Select, Slider, Switch, Text } from '../controls/fields';
import { timeOfDay } from '../format/units';
import { useSnooze } from '../header/Snooze';
import { useObservable } from '../live/useObservable';
import { PartState } from './PartState';

/** Names of the loudness settings. The LUFS of a setting are measured with the music of an idle
 *  machine at half volume. */
const LOUDNESS_NAMES: Record<(typeof CHOICES)['audio.loudness_lufs'][number], string> = { '-23': 'Background', '-18': 'Room', '-16': 'Stage' };
const LOUDNESS = CHOICES['audio.loudness_lufs'].map((lufs) => ({ value: String(lufs), text: `${LOUDNESS_NAMES[lufs]} (−${-lufs} LUFS)` }));

function silenceText(snooze: number | null, quiet: number | null): string {
  if (quiet !== null) return `Quiet hours until ${timeOfDay(quiet)}.`;
  return snooze === null ? 'A snooze is a mute that ends by itself.' : `Snoozed until ${timeOfDay(snooze)}.`;
}

function QuietHours() {
  return (
    <>
      <h3>Quiet hours</h3>
      <Switch path="quiet.enabled" id="quiet" label="Every day" />
      <div className="pair equal">
        <Text path="quiet.from" id="quiet-from" label="From" type="time" />
        <Text path="quiet.to" id="quiet-to" label="To" type="time" />
      </div>
      <p className="note">The times are in this machine’s local time. MIDI and OSC continue during quiet hours.</p>
    </>
  );
}

function Silence() {
  const { settings } = useStores();
  const muted = useObservable(settings.state).values?.muted;
  const until = useSnooze();
  const quiet = useObservable(useStores().live.text)?.controls.quiet_until_ts_ms ?? null;
  const minutes = [15, 60];
  return (
    <div className="silence">
      <div className="buttons">
        <button type="button" id="outputs-mute" aria-pressed={muted ?? false} disabled={muted === undefined} onClick={() => settings.edit('muted', muted !== true, 0)}>
          {muted === true ? 'Muted' : 'Mute'}
        </button>
        {until !== undefined &&
          minutes.map((it) => (
            <button type="button" key={it} id={`snooze-${it}`} onClick={() => void settings.snooze(it)}>
              Snooze {it === 60 ? '1 h' : `${it} min`}
            </button>
          ))}
      </div>
      {until !== undefined && <small id="silence-state">{silenceText(until, quiet)}</small>}
      {((until ?? null) !== null || quiet !== null) && (
        <button type="button" className="quiet" id="outputs-sound" onClick={() => void settings.unmute()}>
          Unmute
        </button>
      )}
    </div>
  );
}

function Figures() {
  const audio = useObservable(useStores().health.state)?.audio;
  if (audio?.enabled !== true || !audio.ok) return null;
  const rows: [string, string][] = [
    ['Latency', audio.latency_ms === null ? '–' : `${Math.round(audio.latency_ms)} ms`],
    ['Voices', `${audio.voices} of ${audio.voice_limit}`],
    ['Underruns', audio.xruns === null ? '–' : String(audio.xruns)],
    ['Device restarts', String(audio.restarts)],
  ];
  return <Facts rows={rows} className="figures" />;
}

export function SoundCard() {
  const { settings } = useStores();
  const { values } = useObservable(settings.state);
  const devices = useObservable(settings.devices);
  const actionError = useObservable(settings.actionError);
  const standard = devices.find((device) => device.is_default)?.name;
  const options = [
    { value: '', text: standard === undefined ? 'System default' : `System default (${standard})` },
    ...devices.map(({ id, name }) => ({ value: id, text: name })),
  ];
  return (
    <section aria-labelledby="sound-title" className="card">
      <h2 id="sound-title">Loudspeaker</h2>
      <Switch path="features.audio" id="feature-audio" label="Sound" />
      <PartState part="Sound" />
      <Slider path="audio.master_gain" id="gain" label="Volume" />
      <Select path="audio.device" id="device" label="Sound device" options={options} convert={String} onFocus={() => void settings.refreshDevices()} />
      <Select path="audio.loudness_lufs" id="loudness" label="Loudness" options={LOUDNESS} convert={Number} />
      <Silence />
      <div className="buttons">
        <button type="button" id="test-note" disabled={values === null} onClick={() => void settings.testNote()}>
          Play a test note
        </button>
        <button type="button" id="panic" disabled={values === null} title="Ends all notes that are sounding. The music continues." onClick={() => void settings.panic()}>
          All notes off
        </button>
      </div>
      <div role="alert" className="refusal" hidden={actionError === null}>
        {actionError}
      </div>
      <QuietHours />
      <Figures />
    </section>
  );
}
