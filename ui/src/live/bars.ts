// Stores the time at which each bar began, by the engine's clock.
import type { Bar as BarReport } from '../api/types';

export const STEPS_PER_BAR = 16;
/** Number of bars that the score shows. */
export const SCORE_BARS = 16;

interface Bar {
  bar: number;
  start: number;
}

export class BarClock {
  private bars: Bar[] = [];
  /** Duration of one step, a sixteenth of a bar, in milliseconds; null until the engine has
   *  reported a bar. */
  stepMs: number | null = null;

  /** Stores the bar that the engine reports. After a change of the tempo, the engine reports the
   *  current bar again, with a new start and a new step duration. */
  note({ bar, bar_ts_ms, step_ms }: Pick<BarReport, 'bar' | 'bar_ts_ms' | 'step_ms'>): void {
    if (!(step_ms > 0)) return;
    this.stepMs = step_ms;
    const last = this.bars.at(-1);
    // A restarted engine counts its bars from 0 again.
    if (last !== undefined && (bar < last.bar || (bar > last.bar && bar_ts_ms < last.start))) this.bars = [];
    if (last?.bar === bar) this.bars.pop();
    this.bars.push({ bar, start: bar_ts_ms });
    if (this.bars.length > SCORE_BARS * 2) this.bars.shift();
  }

  /** Length of the time span that the score shows, in milliseconds. */
  get windowMs(): number {
    return SCORE_BARS * STEPS_PER_BAR * (this.stepMs ?? 136.4);
  }

  get barMs(): number {
    return STEPS_PER_BAR * (this.stepMs ?? 136.4);
  }

  /** Returns the starts of all bars between two times. Starts before the first known bar and after
   *  the last known bar are extrapolated with the current tempo. */
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
