// Tests that the list "Sounding now" describes the notes of the last bars.
import { describe, expect, it } from 'vitest';
import type { Note } from '../api/types';
import { sounding } from './sounding';

const note = (ts_ms: number, midi: number, more: Partial<Note> = {}): Note => ({
  seq: ts_ms, ts_ms, midi, velocity: 0.5, duration_s: 0.2, role: 'melody', layer: 'voices', channel: 1, signal: 'rx', ...more,
});

const words = (notes: Note[], now = 4000) => sounding(notes, now, 2000, (name) => (name === 'rx' ? 'received' : name));

describe('sounding', () => {
  it('names role, range, direction, density and signal', () => {
    const [row] = words([note(100, 60), note(1000, 62), note(2000, 67), note(3000, 69)]);
    expect(row).toMatchObject({ title: 'Melody, C4 to A4, rising', detail: 'voices · 2 notes a bar · rx: received', active: false });
  });

  it('lists voices, pulse, then bed', () => {
    const rows = words([note(1000, 38, { layer: 'bed', role: 'chords', signal: null }), note(1100, 38, { layer: 'pulse', role: 'percussion' }), note(1200, 60)]);
    expect(rows.map((row) => row.title)).toEqual(['Melody, C4', 'Percussion', 'Chords, D2']);
    expect(rows[2]?.detail).toBe('bed · 1 note in 2 bars');
  });

  it('omits past and future notes', () => {
    expect(words([note(100, 60)], 60_000)).toEqual([]);
    expect(words([note(100, 60, { duration_s: 100 })], 60_000)[0]?.active).toBe(true);
    expect(words([note(5000, 60)], 4000)).toEqual([]);
  });
});
