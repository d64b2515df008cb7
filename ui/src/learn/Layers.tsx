// What the four layers and the five families mean, for those who read rather than listen.
import { Facts } from '../app/Facts';
import { CATALOGUE, FAMILIES } from '../live/catalogue';
import { Mark } from '../theme/Mark';

const LAYERS: readonly [string, string][] = [
  ['Bed', 'A soft chord that never ends. Darker when programs wait for a processor, tenser when they wait for memory, heavier when they wait for the disk.'],
  ['Pulse', 'A rhythm at a steady tempo. The more work, the more of its sixteen steps it plays.'],
  ['Voices', 'At most two lines for what stands out most, each family in its own timbre, register and place.'],
  ['Cues', 'Short motifs for what the kernel reports: a kill for want of memory, a crash, a disk error, a burst of retransmits.'],
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
