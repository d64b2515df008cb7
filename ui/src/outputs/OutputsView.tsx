// The Outputs view: the loudspeaker, this browser, recordings, MIDI, OSC and the desktop.
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
        <p>All outputs play the same music. Outputs that are off use no CPU.</p>
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
