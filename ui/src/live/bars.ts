// Where bars began, in the engine's time, worked out from the bar and step that come with each event.
import type { Music } from '../api/types';

export const STEPS_PER_BAR = 16;
export const SCORE_BARS = 16;

interface Bar {
  bar: number;
  start: number;
}

export class BarClock {
  private bars: Bar[] = [];
  stepMs: number | null = null;

  /** An event falls somewhere inside its step, so the earliest start any event of a bar suggests is the nearest to the truth. */
  note(ts: number, music: Music): void {
    const { bar, step, step_ms } = music;
    if (!(step_ms > 0)) return;
    const start = ts - step * step_ms;
    const last = this.bars.at(-1);
    if (last !== undefined && (bar < last.bar || start < last.start - STEPS_PER_BAR * step_ms)) this.bars = [];
    this.stepMs = step_ms;
    const same = this.bars.at(-1);
    if (same?.bar === bar) {
      if (start < same.start) same.start = start;
      return;
    }
    // The bar before tells where this one begins, finer than the first event of it can.
    const follows = same?.bar === bar - 1 ? same.start + STEPS_PER_BAR * step_ms : start;
    const close = Math.abs(follows - start) <= step_ms * 2;
    this.bars.push({ bar, start: close ? Math.min(follows, start) : start });
    if (this.bars.length > SCORE_BARS * 2) this.bars.shift();
  }

  get windowMs(): number {
    return SCORE_BARS * STEPS_PER_BAR * (this.stepMs ?? 136.4);
  }

  get barMs(): number {
    return STEPS_PER_BAR * (this.stepMs ?? 136.4);
  }

  /** Bar starts from `from` to `until`; before the first bar seen and after the last they are continued at the present tempo. */
  starts(from: number, until = -Infinity): Bar[] {
    const [first, last] = [this.bars[0], this.bars.at(-1)];
    if (first === undefined || last === undefined) return [];
    const earlier: Bar[] = [];
    for (let i = 1; first.start - i * this.barMs >= from && i <= SCORE_BARS; i++)
      earlier.unshift({ bar: first.bar - i, start: first.start - i * this.barMs });
    const later: Bar[] = [];
    for (let i = 1; last.start + i * this.barMs <= until && i <= SCORE_BARS; i++) later.push({ bar: last.bar + i, start: last.start + i * this.barMs });
    return [...earlier, ...this.bars.filter((bar) => bar.start >= from), ...later];
  }
}
