// Stores when each bar began, by the engine's clock.
import type { Bar as BarReport } from '../api/types';

export const STEPS_PER_BAR = 16;
/** Bars that the score shows. */
export const SCORE_BARS = 16;

interface Bar {
  bar: number;
  start: number;
}

export class BarClock {
  private bars: Bar[] = [];
  /** Duration of a step; null until the first bar is known. */
  stepMs: number | null = null;

  /** Stores the current bar. A new tempo also changes the start and the step of the current bar. */
  note({ bar, bar_ts_ms, step_ms }: Pick<BarReport, 'bar' | 'bar_ts_ms' | 'step_ms'>): void {
    if (!(step_ms > 0)) return;
    this.stepMs = step_ms;
    const last = this.bars.at(-1);
    // A restarted engine counts its bars from 0.
    if (last !== undefined && (bar < last.bar || (bar > last.bar && bar_ts_ms < last.start))) this.bars = [];
    if (last?.bar === bar) this.bars.pop();
    this.bars.push({ bar, start: bar_ts_ms });
    if (this.bars.length > SCORE_BARS * 2) this.bars.shift();
  }

  /** The time that the score shows. */
  get windowMs(): number {
    return SCORE_BARS * STEPS_PER_BAR * (this.stepMs ?? 136.4);
  }

  get barMs(): number {
    return STEPS_PER_BAR * (this.stepMs ?? 136.4);
  }

  /** The starts of all bars between two times. Starts before the first known bar and after the last
   *  one are extrapolated at the current tempo. */
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
