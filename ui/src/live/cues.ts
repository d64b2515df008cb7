// The cues of the last while, each once, newest first.
import type { Cue } from '../api/types';
import { Observable } from './observable';

const MOST = 64;

/** The share of the list that a cue takes: its host's, or '' for this machine and for hosts that
 *  were lost or found. */
const share = ({ kind, host }: Cue): string => (kind === 'lost' || kind === 'found' ? '' : (host ?? ''));

/** The newest cues. While there are too many, the oldest cue of the largest share is dropped, so a
 *  host with many cues removes none of another host. */
function trimmed(newestFirst: readonly Cue[]): readonly Cue[] {
  const list = [...newestFirst];
  while (list.length > MOST) {
    const sizes = new Map<string, number>();
    for (const cue of list) sizes.set(share(cue), (sizes.get(share(cue)) ?? 0) + 1);
    const most = Math.max(...sizes.values());
    list.splice(
      list.findLastIndex((cue) => sizes.get(share(cue)) === most),
      1,
    );
  }
  return list;
}

export class CueLog {
  readonly list = new Observable<readonly Cue[]>([]);

  add(cues: readonly Cue[]): void {
    const last = this.list.get()[0]?.seq ?? -1;
    const fresh = cues.filter((cue) => cue.seq > last);
    if (fresh.length > 0) this.list.set(trimmed([...fresh.toReversed(), ...this.list.get()]));
  }

  clear(): void {
    this.list.set([]);
  }

  /** Called when another engine counts its cues from the start: those of the old one stay, and hide
   *  none of the new ones. */
  restart(): void {
    this.list.set(this.list.get().map((cue) => ({ ...cue, seq: -1 })));
  }
}
