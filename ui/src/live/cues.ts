// The cues of the last while, each once, newest first.
import type { Cue } from '../api/types';
import { Observable } from './observable';

const MOST = 64;

export class CueLog {
  readonly list = new Observable<readonly Cue[]>([]);

  add(cues: readonly Cue[]): void {
    const last = this.list.get()[0]?.seq ?? -1;
    const fresh = cues.filter((cue) => cue.seq > last);
    if (fresh.length > 0) this.list.set([...fresh.toReversed(), ...this.list.get()].slice(0, MOST));
  }

  clear(): void {
    this.list.set([]);
  }

  /** Called with the engine's own list after a (re)connection; an engine started anew counts anew. */
  resync(cues: readonly Cue[]): void {
    const first = cues[0];
    const before = first === undefined ? [...this.list.get()] : this.list.get().filter((cue) => cue.ts_ms < first.ts_ms);
    // What was counted by an engine that is gone must not hide what this one counts.
    this.list.set([...cues.toReversed(), ...before.map((cue) => ({ ...cue, seq: -1 }))].slice(0, MOST));
  }
}
