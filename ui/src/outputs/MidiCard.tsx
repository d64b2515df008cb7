// The card for MIDI: khor sends notes and a clock to other instruments through the ALSA sequencer.
import { NumberField, Switch, Text } from '../controls/fields';
import { PartState } from './PartState';

export function MidiCard() {
  return (
    <section aria-labelledby="midi-title" className="card">
      <h2 id="midi-title">MIDI</h2>
      <Switch path="features.midi" id="feature-midi" label="MIDI" />
      <PartState part="MIDI" />
      <div className="pair wide">
        <Text path="midi.port" id="midi-port" label="Port name" />
        <NumberField path="midi.channel" id="midi-channel" label="Channel" />
      </div>
      <Switch path="midi.clock" id="midi-clock" label="Send clock" />
      <p className="note">The melody plays on this channel, the bass on 2, chords on 3, and percussion on 10. Controllers 20 to 27 on channel 1 send the levels of signals.</p>
    </section>
  );
}
