// Paints the music as a piano roll. Cues, voices, pulse and bed each have their own band. Can paint
// the whole roll or only one rectangle of it.
import type { Cue, Family, Note } from '../api/types';
import { faded, type Palette } from '../theme/store';

/** The bands from top to bottom. `from` and `to` are shares of the score's height. */
export const BANDS = [
  { layer: 'cues', from: 0, to: 0.14 },
  { layer: 'voices', from: 0.14, to: 0.48 },
  { layer: 'pulse', from: 0.48, to: 0.68 },
  { layer: 'bed', from: 0.68, to: 1 },
] as const;

/** What the score painter paints. Lengths are in CSS pixels. Times are in milliseconds, by the
 *  engine's clock. */
export interface ScoreView {
  width: number;
  height: number;
  /** Number of canvas pixels per CSS pixel. */
  ratio: number;
  /** The time at the left edge of the score. */
  from: number;
  msPerPixel: number;
  /** The current time. Notes that are sounding at this time are brighter. */
  now: number;
  notes: readonly Note[];
  cues: readonly Cue[];
  bars: readonly { bar: number; start: number }[];
  palette: Palette;
  family: (signal: string | null) => Family | null;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Placed extends Box {
  note: Note;
}

export const endOf = (note: Note): number => note.ts_ms + note.duration_s * 1000;

/** Returns the band of a note's layer, or the band of the voices if this page does not know the
 *  layer. */
function bandOf(note: Note) {
  return BANDS.find((band) => band.layer === note.layer) ?? BANDS[1];
}

/** Returns the lowest and the highest pitch of a band. The range covers at least two whole octaves,
 *  so that it rarely changes. */
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

/** Returns the lowest and the highest pitch of each band. */
export function pitchRanges(notes: readonly Note[]): [number, number][] {
  return BANDS.map((band) => pitchRange(notes.filter((note) => bandOf(note) === band)));
}

/** Returns the boxes of all visible notes, band by band. */
export function placeNotes(view: Pick<ScoreView, 'width' | 'height' | 'from' | 'msPerPixel' | 'notes'>): Placed[] {
  const { width, height, from, msPerPixel, notes } = view;
  const seen = notes.filter((note) => note.ts_ms <= from + width * msPerPixel && endOf(note) >= from);
  const ranges = pitchRanges(seen);
  return BANDS.flatMap((band, i) => {
    const [low, high] = ranges[i] ?? [48, 72];
    const edge = band.layer === 'cues' ? 5 : 9;
    const top = band.from * height + edge;
    const room = (band.to - band.from) * height - 2 * edge;
    const thick = Math.max(3.5, Math.min(6, room / 14));
    return seen
      .filter((note) => bandOf(note) === band)
      .map((note) => {
        const start = Math.max(from, note.ts_ms);
        return {
          x: (start - from) / msPerPixel,
          y: top + (1 - (note.midi - low) / (high - low)) * (room - thick),
          width: Math.max(3.5, (endOf(note) - start) / msPerPixel - 1),
          height: thick,
          note,
        };
      });
  });
}

const overlap = (a: Box, b: Box) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Extends a box to whole canvas pixels, plus one pixel on each side, because edges are
 *  antialiased. */
function outward({ x, y, width, height }: Box, ratio: number): Box {
  const [left, top] = [Math.floor(x * ratio) - 1, Math.floor(y * ratio) - 1];
  const [right, foot] = [Math.ceil((x + width) * ratio) + 1, Math.ceil((y + height) * ratio) + 1];
  return { x: left / ratio, y: top / ratio, width: (right - left) / ratio, height: (foot - top) / ratio };
}

/** Paints the content of `box` again, or the whole score if there is no box. `placed` is the result
 *  of `placeNotes` for the same view. */
export function paintScore(context: CanvasRenderingContext2D, view: ScoreView, placed: readonly Placed[], box?: Box): void {
  const { width, height, ratio } = view;
  const area = box === undefined ? { x: 0, y: 0, width, height } : outward(box, ratio);
  context.save();
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.beginPath();
  context.rect(area.x, area.y, area.width, area.height);
  context.clip();
  context.clearRect(area.x, area.y, area.width, area.height);
  paintGrid(context, view, area);
  for (const it of placed) if (overlap(it, area)) paintNote(context, view, it);
  context.restore();
}

/** Paints the lines between the bands, and the lines at bars and cues. */
function paintGrid(context: CanvasRenderingContext2D, { width, height, from, msPerPixel, palette, bars, cues }: ScoreView, area: Box): void {
  const seen = (x: number, reach: number) => x + reach >= area.x && x - reach <= area.x + area.width;
  for (const band of BANDS.slice(1)) line(context, 0, band.from * height, width, band.from * height, palette['strong-line']);
  for (const { bar, start } of bars) {
    const x = (start - from) / msPerPixel;
    if (seen(x, 1)) line(context, x, 0, x, height, bar % 4 === 0 ? palette['strong-line'] : palette.line);
  }
  for (const cue of cues) {
    const x = (cue.ts_ms - from) / msPerPixel;
    if (seen(x, 5)) mark(context, x, height, palette.bad);
  }
}

function paintNote(context: CanvasRenderingContext2D, { now, palette, family }: ScoreView, { x, y, width, height, note }: Placed): void {
  const of = family(note.signal);
  const base = note.layer === 'bed' ? 0.42 : 0.6;
  const plain = note.layer === 'cues' ? palette.bad : palette.dim;
  context.fillStyle = faded(of === null ? plain : palette[of], now < endOf(note) ? 1 : base + 0.35 * note.velocity);
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(height / 2, width / 2));
  context.fill();
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number, color: string): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  context.stroke();
}

/** Paints a cue as a triangle at the top and a dotted line through all bands. */
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
