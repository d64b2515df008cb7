// Where the music goes: this machine's loudspeaker, this browser, files, MIDI and OSC.
import { DesktopCard } from './DesktopCard';
import { ListenCard } from './ListenCard';
import { MidiCard } from './MidiCard';
import { OscCard } from './OscCard';
import { RecordingCard } from './RecordingCard';
import { SoundCard } from './SoundCard';
import './outputs.css';

export function OutputsView() {
  return (
    <>
      <div className="head">
        <h1>Outputs</h1>
        <p>The same music everywhere, at the same time. What is off costs nothing.</p>
      </div>
      <div className="outputs">
        <SoundCard />
        <ListenCard />
        <RecordingCard />
        <MidiCard />
        <OscCard />
        <DesktopCard />
      </div>
    </>
  );
}
