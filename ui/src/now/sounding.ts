// Describes in words the parts of the music that sounded in the last bars.
import type { Note } from '../api/types';
import { capital, noteName } from '../format/music';

export interface Sounding {
  key: string;
  title: string;
  detail: string;
  signal: string | null;
  /** Whether a note of this part is sounding now. */
  active: boolean;
}

/** The order in which the list "Sounding now" shows the layers of the music. */
const LAYERS = ['voices', 'pulse', 'bed', 'cues'];

function direction(notes: readonly Note[]): string {
  const half = Math.floor(notes.length / 2);
  if (half < 2) return '';
  const mean = (part: readonly Note[]) => part.reduce((sum, note) => sum + note.midi, 0) / part.length;
  const change = mean(notes.slice(-half)) - mean(notes.slice(0, half));
  if (change > 2) return ', rising';
  return change < -2 ? ', falling' : '';
}

function span(notes: readonly Note[]): string {
  const pitches = notes.map((note) => note.midi);
  const low = noteName(Math.min(...pitches));
  const high = noteName(Math.max(...pitches));
  return low === high ? low : `${low} to ${high}`;
}

const times = (count: number, bars: number) => {
  const per = count / bars;
  if (per >= 1) return per < 1.5 ? '1 note a bar' : `${Math.round(per)} notes a bar`;
  return `${count === 1 ? '1 note' : `${count} notes`} in ${bars} bars`;
};

/** Returns the parts that sounded in the last `bars` bars before `now`, voices first. A part
 *  consists of the notes with the same layer, role and signal. A long note that began earlier
 *  counts too if it sounded in these bars. */
export function sounding(notes: readonly Note[], now: number, barMs: number, label: (signal: string) => string, bars = 2): Sounding[] {
  const from = now - bars * barMs;
  const groups = new Map<string, Note[]>();
  for (const note of notes) {
    const end = note.ts_ms + note.duration_s * 1000;
    if (note.ts_ms > now || end < from) continue;
    const key = `${note.layer}/${note.role}/${note.signal ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(note);
    else groups.set(key, [note]);
  }
  return [...groups.entries()]
    .map(([key, group]) => describe(key, group, now, bars, label))
    .sort((a, b) => a.rank - b.rank || (a.row.key < b.row.key ? -1 : 1))
    .map((entry) => entry.row);
}

function describe(key: string, group: Note[], now: number, bars: number, label: (signal: string) => string): { rank: number; row: Sounding } {
  const first = group[0];
  const layer = first?.layer ?? '';
  const signal = first?.signal ?? null;
  const role = first?.role ?? 'notes';
  const pitched = first?.role !== 'percussion';
  const from = signal === null ? [] : [label(signal) === signal ? signal : `${signal}: ${label(signal)}`];
  const rank = LAYERS.indexOf(layer);
  return {
    rank: LAYERS.includes(layer) ? rank : LAYERS.length,
    row: {
      key,
      title: `${capital(role)}${pitched ? `, ${span(group)}${direction(group)}` : ''}`,
      detail: [layer, times(group.length, bars), ...from].join(' · '),
      signal,
      active: group.some((note) => now < note.ts_ms + Math.max(250, note.duration_s * 1000)),
    },
  };
}
