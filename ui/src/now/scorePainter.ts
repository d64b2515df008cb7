// Paints the last sixteen bars as a piano roll: cues, voices, pulse and bed in bands of their own.
import type { Cue, Family, Note } from '../api/types';
import { faded, type Palette } from '../theme/store';

export const BANDS = [
  { layer: 'cues', from: 0, to: 0.14 },
  { layer: 'voices', from: 0.14, to: 0.48 },
  { layer: 'pulse', from: 0.48, to: 0.68 },
  { layer: 'bed', from: 0.68, to: 1 },
] as const;

export interface ScoreView {
  width: number;
  height: number;
  ratio: number;
  now: number;
  windowMs: number;
  notes: readonly Note[];
  cues: readonly Cue[];
  bars: readonly { bar: number; start: number }[];
  palette: Palette;
  family: (signal: string | null) => Family | null;
}

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
  note: Note;
}

/** Layers to come are drawn with the voices. */
function bandOf(note: Note) {
  return BANDS.find((band) => band.layer === note.layer) ?? BANDS[1];
}

/** Whole octaves around the notes of a band, at least two, so the roll rarely changes its scale. */
function pitchRange(notes: readonly Note[]): [number, number] {
  let low = 127;
  let high = 0;
  for (const note of notes) {
    low = Math.min(low, note.midi);
    high = Math.max(high, note.midi);
  }
  if (low > high) return [48, 72];
  const from = Math.floor(low / 12) * 12;
  return [from, Math.max(from + 24, Math.ceil((high + 1) / 12) * 12)];
}

/** Where each note of the window lies, in CSS pixels; a note grows while it sounds, and none lies beyond now. */
export function placeNotes(view: Pick<ScoreView, 'width' | 'height' | 'now' | 'windowMs' | 'notes'>): Placed[] {
  const { width, height, now, windowMs, notes } = view;
  const left = now - windowMs;
  const seen = notes.filter((note) => note.ts_ms <= now && note.ts_ms + note.duration_s * 1000 >= left);
  return BANDS.flatMap((band) => {
    const own = seen.filter((note) => bandOf(note) === band);
    const [low, high] = pitchRange(own);
    const edge = band.layer === 'cues' ? 5 : 9;
    const top = band.from * height + edge;
    const room = (band.to - band.from) * height - 2 * edge;
    const thick = Math.max(3.5, Math.min(6, room / 14));
    return own.map((note) => {
      const start = Math.max(left, note.ts_ms);
      const end = Math.min(now, note.ts_ms + note.duration_s * 1000);
      const x = ((start - left) / windowMs) * width;
      return {
        x,
        y: top + (1 - (note.midi - low) / (high - low)) * (room - thick),
        width: Math.max(3.5, ((end - start) / windowMs) * width - 1),
        height: thick,
        note,
      };
    });
  });
}

export function paintScore(context: CanvasRenderingContext2D, view: ScoreView): Placed[] {
  const { width, height, ratio, now, windowMs, palette } = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  for (const band of BANDS.slice(1)) line(context, 0, band.from * height, width, band.from * height, palette['strong-line']);
  for (const { bar, start } of view.bars) {
    const x = (1 - (now - start) / windowMs) * width;
    line(context, x, 0, x, height, bar % 4 === 0 ? palette['strong-line'] : palette.line);
  }
  for (const cue of view.cues) mark(context, (1 - (now - cue.ts_ms) / windowMs) * width, height, palette.bad);
  const placed = placeNotes(view);
  for (const { x, y, width: long, height: thick, note } of placed) {
    const family = view.family(note.signal);
    const sounding = now < note.ts_ms + note.duration_s * 1000;
    const base = note.layer === 'bed' ? 0.42 : 0.6;
    const plain = note.layer === 'cues' ? palette.bad : palette.dim;
    context.fillStyle = faded(family === null ? plain : palette[family], sounding ? 1 : base + 0.35 * note.velocity);
    context.beginPath();
    context.roundRect(x, y, long, thick, Math.min(thick / 2, long / 2));
    context.fill();
  }
  return placed;
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number, color: string): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  context.stroke();
}

/** Where the kernel reported something: a wedge at the top and a dotted line through all layers. */
function mark(context: CanvasRenderingContext2D, x: number, height: number, color: string): void {
  context.fillStyle = color;
  context.beginPath();
  context.moveTo(x - 5, 0);
  context.lineTo(x + 5, 0);
  context.lineTo(x, 9);
  context.fill();
  context.setLineDash([2, 4]);
  line(context, x, 9, x, height, color);
  context.setLineDash([]);
}
