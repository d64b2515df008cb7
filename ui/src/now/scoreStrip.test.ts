// Tests that the score is painted only when a note begins or ends, and only in the area of this
// note.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Note } from '../api/types';
import type { Stores } from '../app/stores';
import { BarClock } from '../live/bars';
import { CueLog } from '../live/cues';
import { NoteLog } from '../live/notes';
import { Observable } from '../live/observable';
import type { Moment } from '../live/state';
import type { Palette } from '../theme/store';
import { placeNotes } from './scorePainter';
import { ScoreStrip } from './scoreStrip';

const WIDTH = 800;
const HEIGHT = 276;
const palette = new Proxy({}, { get: () => 'rgb(1, 2, 3)' }) as Palette;

const note = (seq: number, ts_ms: number, duration_s = 0.2, midi = 60): Note => ({ seq, ts_ms, midi, velocity: 0.5, duration_s, role: 'melody', layer: 'voices', channel: 1, signal: 'rx' });

/** Creates a canvas context that draws nothing, but records which areas are cleared. */
function recorder() {
  const cleared: { x: number; width: number }[] = [];
  const known: Record<string, unknown> = { clearRect: (x: number, _y: number, width: number) => cleared.push({ x, width }) };
  const context = new Proxy(known, { get: (target, name: string) => target[name] ?? (() => undefined), set: () => true });
  return { cleared, context: context as unknown as CanvasRenderingContext2D };
}

let clock: number;
let notes: NoteLog;
let strip: ScoreStrip;
let cleared: { x: number; width: number }[];
let motion: { currentTime: number; playing: boolean } | null;
let link: Observable<'connecting' | 'live' | 'lost'>;

beforeEach(() => {
  clock = 100_000;
  notes = new NoteLog();
  notes.add([note(0, clock - 5000)]);
  motion = null;
  link = new Observable<'connecting' | 'live' | 'lost'>('live');
  const bars = new BarClock();
  bars.note({ bar: 40, bar_ts_ms: clock, step_ms: 125 });
  const live = { notes, bars, link, cues: new CueLog(), text: new Observable<Moment | null>(null), now: () => clock };
  const canvas = {
    width: 0, height: 0, style: {},
    animate: () => {
      const begun = { currentTime: 0, playing: true, pause: () => (begun.playing = false), play: () => (begun.playing = true), cancel: () => undefined };
      motion = begun;
      return begun;
    },
  };
  const drawn = recorder();
  cleared = drawn.cleared;
  const stores = { live, theme: { palette: new Observable(palette) } } as unknown as Pick<Stores, 'live' | 'theme'>;
  strip = new ScoreStrip(stores, canvas as unknown as HTMLCanvasElement, { clientWidth: WIDTH, clientHeight: HEIGHT } as HTMLElement, drawn.context);
  strip.paint();
});

/** Advances both the engine's clock and the animation of the strip by `ms` milliseconds. */
function pass(ms: number) {
  clock += ms;
  if (motion !== null) motion.currentTime += ms;
}

describe('ScoreStrip', () => {
  it('is painted once, longer than its window', () => {
    expect(cleared).toEqual([{ x: 0, width: WIDTH * 1.25 }]);
    pass(1000);
    expect(strip.due()).toBe(false);
  });

  it('is painted whole when the pitch range changes', () => {
    // The pitch range covers only the notes in the window. The first note (95) has left the window
    // when the second note (90) arrives, so the second note must change the range.
    notes.add([note(1, clock, 0.2, 95)]);
    pass(40_000);
    strip.paintWhole();
    const before = cleared.length;
    pass(1000);
    notes.add([note(2, clock, 0.2, 90)]);
    strip.paint();
    expect(cleared.slice(before)).toEqual([{ x: 0, width: WIDTH * 1.25 }]);
  });

  it('paints a note at its begin and end', () => {
    pass(1000);
    notes.add([note(1, clock)]);
    expect(strip.due()).toBe(true);
    strip.paint();
    expect(cleared).toHaveLength(2);
    expect(cleared[1]?.x).toBeGreaterThan(WIDTH);
    expect(cleared[1]?.width).toBeLessThan(12);
    pass(100);
    expect(strip.due()).toBe(false);
    pass(400);
    expect(strip.due()).toBe(true);
    strip.paint();
    expect(cleared[2]).toEqual(cleared[1]);
    expect(strip.due()).toBe(false);
  });

  it('does not paint future notes early', () => {
    notes.add([note(1, clock + 180)]);
    expect(strip.due()).toBe(false);
    pass(100);
    expect(strip.due()).toBe(true);
  });

  it('is painted whole near its end', () => {
    pass(7700);
    expect(strip.due()).toBe(true);
    strip.paint();
    expect(cleared.at(-1)).toEqual({ x: 0, width: WIDTH * 1.25 });
    expect(motion?.currentTime).toBeLessThan(50);
    clock += 500;
    expect(strip.due()).toBe(true);
  });

  it('stops while the engine does not answer', () => {
    strip.halt(true);
    expect(motion?.playing).toBe(false);
    strip.halt(false);
    expect(motion?.playing).toBe(true);
  });

  it('finds the note at a point', () => {
    notes.add([note(1, clock, 2)]);
    strip.paint();
    pass(1600);
    const [placed] = placeNotes({ width: WIDTH * 1.25, height: HEIGHT, from: clock - 32_000 - 1600, msPerPixel: 40, notes: notes.list.slice(1) });
    expect(strip.noteAt(WIDTH - 20, (placed?.y ?? 0) + 2)?.seq).toBe(1);
    expect(strip.noteAt(WIDTH - 60, (placed?.y ?? 0) + 2)).toBeNull();
  });
});
