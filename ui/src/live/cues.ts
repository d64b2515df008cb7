// The recent cues without duplicates, the newest first.
import type { Cue } from '../api/types';
import { Observable } from './observable';

const MOST = 64;

/** The group of a cue: its host, or '' for this machine and for cues about lost or found hosts. */
const share = ({ kind, host }: Cue): string => (kind === 'lost' || kind === 'found' ? '' : (host ?? ''));

/** Limits the list. Drops the oldest cues of the largest group first, so a host with many cues does
 *  not displace the cues of other hosts. */
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

  /** Call this after the engine has restarted and counts its cues from the beginning. Keeps the old
   *  cues, and makes sure that new cues do not count as duplicates of them. */
  restart(): void {
    this.list.set(this.list.get().map((cue) => ({ ...cue, seq: -1 })));
  }
}
