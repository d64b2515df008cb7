// Paints the visualiser. Each signal family has a light, which gets brighter with the level of its
// signals. The notes of a signal are discs in the colour of its family. Other notes are rings, and
// cues are rings that grow.
import type { Cue, Family, Note, Signal } from '../api/types';
import { FAMILIES } from '../live/catalogue';
import { faded, type Palette } from '../theme/store';

/** Minimum time for which a note is visible after its onset, in milliseconds. */
const STAY_MS = 6000;
const LOW_MIDI = 36;
const HIGH_MIDI = 96;

export interface VisualView {
  width: number;
  height: number;
  ratio: number;
  now: number;
  notes: readonly Note[];
  cues: readonly Cue[];
  signals: Readonly<Record<string, Signal>>;
  palette: Palette;
}

/** A circle in the visualiser, which shows one note. */
export interface Drop {
  x: number;
  y: number;
  radius: number;
  /** Opacity from 0 (invisible) to 1. */
  opacity: number;
  color: string;
  /** Whether the circle is drawn as a ring instead of a disc. */
  ring: boolean;
}

/** Returns the direction of a family from the centre, in radians. The families are arranged in a
 *  circle, clockwise from the top. */
function angleOf(family: Family): number {
  return (FAMILIES.indexOf(family) / FAMILIES.length) * 2 * Math.PI - Math.PI / 2;
}

/** Returns the circle that shows a note, or null if the note is not visible. The direction from the
 *  centre shows the family, and the distance from the centre shows the pitch. After the onset of
 *  the note, the circle grows and fades. */
export function dropOf(note: Note, { width, height, now, signals, palette }: Omit<VisualView, 'ratio' | 'notes' | 'cues'>): Drop | null {
  const age = now - note.ts_ms;
  const stay = Math.max(STAY_MS, note.duration_s * 1000);
  if (age < 0 || age > stay) return null;
  const size = Math.min(width, height);
  const family = note.signal === null ? null : (signals[note.signal]?.family ?? null);
  const life = age / stay;
  const opacity = (1 - life) ** 1.6 * (0.25 + 0.6 * note.velocity) * Math.min(1, age / 120);
  if (family === null) {
    const cue = note.layer === 'cues';
    const pitch = (note.midi - LOW_MIDI) / (HIGH_MIDI - LOW_MIDI);
    return { x: width / 2, y: height / 2, radius: size * (0.08 + 0.22 * pitch + 0.16 * life), opacity: opacity * 0.8, color: cue ? palette.bad : palette.dim, ring: true };
  }
  // Shift the direction a little, by the note's pitch class, so that the circles of a melody do not
  // overlap.
  const angle = angleOf(family) + (((note.midi * 7) % 12) / 12 - 0.5) * 0.9;
  const distance = size * (0.16 + 0.3 * Math.min(1, Math.max(0, (note.midi - LOW_MIDI) / (HIGH_MIDI - LOW_MIDI))));
  return {
    x: width / 2 + Math.cos(angle) * distance * (width > height ? 1.35 : 1),
    y: height / 2 + Math.sin(angle) * distance,
    radius: size * (0.012 + 0.03 * note.velocity) * (1 + 1.1 * life),
    opacity,
    color: palette[family],
    ring: false,
  };
}

export function paintVisual(context: CanvasRenderingContext2D, view: VisualView): void {
  const { width, height, ratio, now, palette } = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = palette.bg;
  context.fillRect(0, 0, width, height);
  glow(context, view);
  for (const note of view.notes) {
    const drop = dropOf(note, view);
    if (drop !== null) paintDrop(context, drop);
  }
  for (const cue of view.cues) {
    const life = (now - cue.ts_ms) / STAY_MS;
    if (life < 0 || life > 1) continue;
    paintDrop(context, { x: width / 2, y: height / 2, radius: Math.max(width, height) * 0.6 * life, opacity: 1 - life, color: palette.bad, ring: true });
  }
}

/** Paints one soft light for each family. The light is as bright as the highest level of the
 *  family's signals. */
function glow(context: CanvasRenderingContext2D, { width, height, signals, palette }: VisualView): void {
  const size = Math.max(width, height);
  for (const family of FAMILIES) {
    const level = Math.max(0, ...Object.values(signals).flatMap((signal) => (signal.family === family ? (signal.level ?? []) : [])));
    const angle = angleOf(family);
    const x = width / 2 + Math.cos(angle) * width * 0.3;
    const y = height / 2 + Math.sin(angle) * height * 0.3;
    const light = context.createRadialGradient(x, y, 0, x, y, size * 0.45);
    light.addColorStop(0, faded(palette[family], 0.05 + 0.3 * level));
    light.addColorStop(1, faded(palette[family], 0));
    context.fillStyle = light;
    context.fillRect(0, 0, width, height);
  }
}

function paintDrop(context: CanvasRenderingContext2D, { x, y, radius, opacity, color, ring }: Drop): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (ring) {
    context.strokeStyle = faded(color, opacity);
    context.lineWidth = 1.5;
    context.stroke();
  } else {
    context.fillStyle = faded(color, opacity);
    context.fill();
  }
}
