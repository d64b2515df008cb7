// Stores the notes of the last bars without duplicates, oldest first.
import type { Note } from '../api/types';

/** Maximum number of notes that the page stores. Sixteen bars of the music have fewer notes, even
 *  at the fastest tempo. */
const MOST = 2048;

export class NoteLog {
  list: Note[] = [];
  private lastSeq = -1;

  /** Appends the notes that are not stored yet. */
  add(notes: readonly Note[]): void {
    for (const note of notes) {
      if (note.seq <= this.lastSeq) continue;
      this.lastSeq = note.seq;
      this.list.push(note);
    }
    if (this.list.length > MOST) this.list.splice(0, this.list.length - MOST);
  }

  /** Prepares the log for a restarted engine, which numbers its notes from 0 again. The stored
   *  notes are kept. */
  restart(): void {
    this.list = this.list.map((note) => ({ ...note, seq: -1 }));
    this.lastSeq = -1;
  }

  /** Adds those notes of the engine's history that are not stored yet. */
  load(notes: readonly Note[]): void {
    const known = new Set(this.list.map(({ seq }) => seq));
    const missing = notes.filter(({ seq }) => !known.has(seq));
    if (missing.length === 0) return;
    this.list = [...this.list, ...missing].sort((a, b) => a.ts_ms - b.ts_ms).slice(-MOST);
    this.lastSeq = Math.max(this.lastSeq, ...missing.map(({ seq }) => seq));
  }

  since(time: number): Note[] {
    return this.list.filter((note) => note.ts_ms >= time);
  }

  /** Returns the names of the signals whose notes light their lanes at the time `now`: notes that
   *  are sounding, or that began in the last `glow_ms` milliseconds. */
  lit(now: number, glow_ms: number): Set<string> {
    const names = new Set<string>();
    for (const note of this.since(now - 20_000)) {
      if (note.signal === null || note.ts_ms > now) continue;
      if (now < note.ts_ms + Math.max(glow_ms, note.duration_s * 1000)) names.add(note.signal);
    }
    return names;
  }
}
