// Shows the score as a canvas that is wider than its window. The browser's compositor runs an
// animation that moves the canvas by whole pixels. The page's main thread paints only notes that
// began or ended, because painting the whole window 15 times a second would take most of the
// thread's time.
import type { Cue, Note } from '../api/types';
import type { Stores } from '../app/stores';
import { lanesOf } from '../live/catalogue';
import { endOf, paintScore, pitchRanges, placeNotes, type Box, type Placed, type ScoreView } from './scorePainter';

/** The strip is wider than its window by this share of the window's width. So the strip can move by
 *  this distance before it must be painted again. */
const LEAD = 0.25;
/** The whole strip is painted again when its animation ends in less than this time, in
 *  milliseconds. Painting starts only when an event arrives, so the time must be longer than the
 *  100 ms between two events. */
const SPARE_MS = 400;
/** If the position of the strip differs from the engine's clock by more than this time, in
 *  milliseconds, the whole strip is painted again. */
const DRIFT_MS = 120;
/** A note must be painted if it begins within this time, in milliseconds, because the strip is
 *  painted again only after the next event. The engine sends most notes before they begin. */
const AHEAD_MS = 120;
/** Notes are bright while they sound. A note that has ended is painted dimmer after this time, in
 *  milliseconds. */
const FADE_MS = 250;
/** Notes that begin at most this many milliseconds before the left edge of the window are painted
 *  too, because they may extend into the window. */
const LONGEST_MS = 30_000;

/** The content of the strip at its last painting. The strip compares it with the current notes and
 *  cues to find out what it must paint. */
interface Painted {
  view: ScoreView;
  windowMs: number;
  /** Duration of the animation that moves the strip, in milliseconds. */
  travelMs: number;
  /** The pitch ranges of the bands, as JSON. */
  ranges: string;
  lastSeq: number;
  cues: readonly Cue[];
  /** Notes that were painted bright, because they were sounding. */
  bright: readonly Note[];
  placed: readonly Placed[];
}

export class ScoreStrip {
  private painted: Painted | null = null;
  private motion: Animation | null = null;
  private readonly still = matchMedia('(prefers-reduced-motion: reduce)');

  /** `canvas` shows the strip. `window` is the element that contains the canvas and shows a part of
   *  it. */
  constructor(
    private readonly stores: Pick<Stores, 'live' | 'theme'>,
    private readonly canvas: HTMLCanvasElement,
    private readonly window: HTMLElement,
    private readonly context: CanvasRenderingContext2D,
  ) {}

  /** Whether `paint` would change the visible score. */
  due(): boolean {
    const { live } = this.stores;
    const now = live.now();
    if (now === null) return false;
    const painted = this.painted;
    if (painted === null) return true;
    if (this.still.matches) return now - painted.view.now >= live.bars.barMs;
    const begins = this.unpainted(painted).some((note) => note.ts_ms <= now + AHEAD_MS);
    return begins || this.outdated(painted, now) || painted.bright.some((note) => endOf(note) <= now - FADE_MS);
  }

  paint(): void {
    const now = this.stores.live.now();
    if (now === null) return;
    const painted = this.painted;
    if (painted === null || this.still.matches || this.outdated(painted, now)) {
      this.paintWhole(now);
      return;
    }
    const changed = [...this.unpainted(painted), ...painted.bright.filter((note) => endOf(note) <= now)];
    const view = { ...painted.view, ...this.content(painted.view.from, painted.windowMs), now };
    const placed = placeNotes(view);
    if (rangesOf(placed) !== painted.ranges) {
      this.paintWhole(now);
      return;
    }
    const boxes = placed.filter(({ note }) => changed.includes(note));
    for (const box of joined(boxes)) paintScore(this.context, view, placed, box);
    this.painted = { ...painted, view, placed, lastSeq: this.lastSeq(), bright: view.notes.filter((note) => endOf(note) > now) };
  }

  /** Paints the whole strip again. Called after a change of size, colours or engine. */
  paintWhole(now = this.stores.live.now()): void {
    const { clientWidth: width, clientHeight: height } = this.window;
    if (now === null || width === 0 || height === 0) return;
    const { live, theme } = this.stores;
    const windowMs = live.bars.windowMs;
    const ratio = devicePixelRatio;
    const shown = Math.round(width * ratio);
    const lead = Math.ceil(shown * LEAD);
    const msPerDot = windowMs / shown;
    this.resize(shown + lead, Math.round(height * ratio), ratio);
    // Start at a whole number of screen pixels, so that the next strip replaces this one without a
    // jump.
    const from = Math.floor((now - windowMs) / msPerDot) * msPerDot;
    const families = new Map(lanesOf(live.text.get()?.signals).map((spec) => [spec.name, spec.family]));
    const view: ScoreView = {
      width: (shown + lead) / ratio, height, ratio, from, msPerPixel: msPerDot * ratio, now,
      ...this.content(from, windowMs),
      palette: theme.palette.get(),
      family: (signal) => (signal === null ? null : (families.get(signal) ?? null)),
    };
    const placed = placeNotes(view);
    paintScore(this.context, view, placed);
    const travelMs = lead * msPerDot;
    this.painted = {
      view, windowMs, travelMs, placed,
      ranges: rangesOf(placed),
      lastSeq: this.lastSeq(),
      cues: live.cues.list.get(),
      bright: view.notes.filter((note) => endOf(note) > now),
    };
    this.roll(lead, ratio);
  }

  /** Pauses the animation of the strip if `halted` is true, and otherwise resumes it. The animation
   *  is paused while the engine does not answer, because the estimated clock of the engine then
   *  stands still. */
  halt(halted: boolean): void {
    if (halted) this.motion?.pause();
    else this.motion?.play();
  }

  /** Returns the note near a point of the window, or null if there is none. The point is in CSS
   *  pixels. */
  noteAt(x: number, y: number): Note | null {
    if (this.painted === null) return null;
    const { view, placed } = this.painted;
    const onStrip = x + Number(this.motion?.currentTime ?? 0) / view.msPerPixel;
    const near = placed.filter((it) => onStrip >= it.x - 4 && onStrip <= it.x + it.width + 4 && Math.abs(y - it.y - it.height / 2) < 8);
    return near.at(-1)?.note ?? null;
  }

  stop(): void {
    this.motion?.cancel();
    this.motion = null;
  }

  private resize(width: number, height: number, ratio: number): void {
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.canvas.style.width = `${width / ratio}px`;
  }

  private content(from: number, windowMs: number): Pick<ScoreView, 'notes' | 'cues' | 'bars'> {
    const { live } = this.stores;
    const until = from + windowMs * (1 + LEAD);
    return {
      notes: live.notes.since(from - LONGEST_MS),
      cues: live.cues.list.get().filter((cue) => cue.ts_ms >= from),
      bars: live.bars.starts(from, until),
    };
  }

  private lastSeq(): number {
    return this.stores.live.notes.list.at(-1)?.seq ?? -1;
  }

  /** Whether the whole strip must be painted again. */
  private outdated({ view, windowMs, travelMs, cues }: Painted, now: number): boolean {
    const { live } = this.stores;
    const elapsed = now - windowMs - view.from;
    const off = Math.abs(elapsed - Number(this.motion?.currentTime ?? 0));
    return windowMs !== live.bars.windowMs || cues !== live.cues.list.get() || elapsed > travelMs - SPARE_MS || off > DRIFT_MS;
  }

  /** Returns the notes that arrived after the last paint. */
  private unpainted({ lastSeq }: Painted): Note[] {
    const { list } = this.stores.live.notes;
    let first = list.length;
    while (first > 0 && (list[first - 1]?.seq ?? 0) > lastSeq) first -= 1;
    return list.slice(first);
  }

  /** Starts the animation that moves the strip. */
  private roll(lead: number, ratio: number): void {
    this.motion?.cancel();
    this.motion = null;
    if (this.still.matches || this.painted === null) return;
    const { view, windowMs, travelMs } = this.painted;
    this.motion = this.canvas.animate([{ transform: 'translateX(0)' }, { transform: `translateX(${-lead / ratio}px)` }], {
      duration: travelMs,
      easing: `steps(${lead})`,
      fill: 'forwards',
    });
    this.motion.currentTime = view.now - windowMs - view.from;
    if (this.stores.live.link.get() !== 'live') this.motion.pause();
  }
}

/** Returns the pitch ranges of the bands that contain the notes `placed`, as JSON. */
const rangesOf = (placed: readonly Placed[]): string => JSON.stringify(pitchRanges(placed.map(({ note }) => note)));

/** Merges boxes that overlap, because otherwise the pixels that they share would be painted
 *  twice. */
function joined(boxes: readonly Box[]): Box[] {
  const result: Box[] = [];
  for (const box of [...boxes].sort((a, b) => a.x - b.x)) {
    const at = result.findIndex((it) => box.x <= it.x + it.width && box.y <= it.y + it.height && it.y <= box.y + box.height);
    const other = result[at];
    if (other === undefined) {
      result.push({ x: box.x, y: box.y, width: box.width, height: box.height });
      continue;
    }
    const [top, foot] = [Math.min(box.y, other.y), Math.max(box.y + box.height, other.y + other.height)];
    result[at] = { x: other.x, y: top, width: Math.max(other.x + other.width, box.x + box.width) - other.x, height: foot - top };
  }
  return result;
}
