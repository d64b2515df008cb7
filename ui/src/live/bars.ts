// Where bars began, in the engine's time.
import type { Bar as BarReport } from '../api/types';

export const STEPS_PER_BAR = 16;
export const SCORE_BARS = 16;

interface Bar {
  bar: number;
  start: number;
}

export class BarClock {
  private bars: Bar[] = [];
  stepMs: number | null = null;

  /** Takes the current bar. A new tempo may change the bar that plays. */
  note({ bar, bar_ts_ms, step_ms }: Pick<BarReport, 'bar' | 'bar_ts_ms' | 'step_ms'>): void {
    if (!(step_ms > 0)) return;
    this.stepMs = step_ms;
    const last = this.bars.at(-1);
    // An engine that has restarted counts from the start.
    if (last !== undefined && (bar < last.bar || (bar > last.bar && bar_ts_ms < last.start))) this.bars = [];
    if (last?.bar === bar) this.bars.pop();
    this.bars.push({ bar, start: bar_ts_ms });
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
