// Explains the four layers of the music and the five families of signals in words.
import { Facts } from '../app/Facts';
import { CATALOGUE, FAMILIES } from '../live/catalogue';
import { Mark } from '../theme/Mark';

const LAYERS: readonly [string, string][] = [
  ['Bed', 'A soft chord that never ends. It gets darker when programs wait for a processor, tenser when they wait for memory, and heavier when they wait for the disk.'],
  ['Pulse', 'A rhythm at a steady tempo. The busier the machine, the more of its sixteen steps the pulse plays.'],
  ['Voices', 'At most two melodic lines for the signals that stand out most. Each family has its own timbre, register and stereo position.'],
  ['Cues', 'Short motifs for events that the kernel reports: a program killed because memory ran out, a crash, a disk error, a burst of retransmits.'],
];

export function Layers() {
  return (
    <div className="cards">
      <section className="card" aria-labelledby="layers-title">
        <h2 id="layers-title">Four layers</h2>
        <Facts rows={LAYERS} />
      </section>
      <section className="card" aria-labelledby="families-title">
        <h2 id="families-title">Five families</h2>
        <ul className="family-list">
          {FAMILIES.map((family) => (
            <li key={family}>
              <Mark family={family} lit />
              <b>{family}</b>
              <span>
                {CATALOGUE.filter((spec) => spec.family === family)
                  .map((spec) => spec.label)
                  .join(', ')}
              </span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
