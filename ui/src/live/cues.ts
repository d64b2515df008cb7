// Stores the recent cues without duplicates, newest first.
import type { Cue } from '../api/types';
import { Observable } from './observable';

/** Maximum number of cues that the page stores. */
const MOST = 64;

/** Returns the group of a cue: its host, or '' for cues of this machine and cues about lost or
 *  found hosts. */
const groupOf = ({ kind, host }: Cue): string => (kind === 'lost' || kind === 'found' ? '' : (host ?? ''));

/** Drops cues until the list has at most `MOST` cues. Cues are grouped by host, and each step drops
 *  the oldest cue of the largest group. So a host with many cues does not displace the cues of
 *  other hosts. */
function trimmed(newestFirst: readonly Cue[]): readonly Cue[] {
  const list = [...newestFirst];
  while (list.length > MOST) {
    const sizes = new Map<string, number>();
    for (const cue of list) sizes.set(groupOf(cue), (sizes.get(groupOf(cue)) ?? 0) + 1);
    const most = Math.max(...sizes.values());
    list.splice(
      list.findLastIndex((cue) => sizes.get(groupOf(cue)) === most),
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

  /** Prepares the log for a restarted engine, which numbers its cues from 0 again. The stored cues
   *  are kept. */
  restart(): void {
    this.list.set(this.list.get().map((cue) => ({ ...cue, seq: -1 })));
  }
}
