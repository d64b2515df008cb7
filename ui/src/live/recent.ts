// Computes mean rates and deviations over the last three seconds, for the sentence.
import { isNothing } from '../format/units';
import type { Moment } from './state';

const SPAN_MS = 3000;

/** Names of the two rates of the signal `io`, reads and writes. They contain spaces, which the name
 *  of a lane cannot contain. */
export const DISK_READ = 'disk read';
export const DISK_WRITE = 'disk write';

/** Mean rates by lane name, and by {@link DISK_READ} and {@link DISK_WRITE}; null if a rate is
 *  unknown. */
export type MeanRates = Record<string, number | null>;

interface Entry {
  ts: number;
  rates: MeanRates;
  deviations: Record<string, number | null>;
  /** Names of the rates whose baseline is zero. */
  zeroBaselines: ReadonlySet<string>;
}

export class Recent {
  private entries: Entry[] = [];

  push({ ts_ms, signals, read, written }: Moment): void {
    const rates: MeanRates = { [DISK_READ]: read, [DISK_WRITE]: written };
    const io = signals.io?.deviation ?? null;
    const deviations: Entry['deviations'] = { [DISK_READ]: io, [DISK_WRITE]: io };
    for (const [name, signal] of Object.entries(signals)) {
      rates[name] = signal.available ? signal.rate : null;
      deviations[name] = signal.deviation;
    }
    const zeroBaselines = Object.entries(signals).flatMap(([name, { baseline, unit }]) => (isNothing(baseline, unit) ? [name] : []));
    this.entries.push({ ts: ts_ms, rates, deviations, zeroBaselines: new Set(zeroBaselines.includes('io') ? [...zeroBaselines, DISK_READ, DISK_WRITE] : zeroBaselines) });
    this.entries = this.entries.filter((entry) => Math.abs(ts_ms - entry.ts) <= SPAN_MS);
  }

  clear(): void {
    this.entries = [];
  }

  means(): MeanRates {
    return this.meansOf((entry) => entry.rates);
  }

  /** Returns the mean deviation of each rate, in octaves. The keys are the names of the rates. For
   *  disk reads and for disk writes, the deviation is that of the signal `io`. */
  deviations(): Record<string, number | null> {
    return this.meansOf((entry) => entry.deviations);
  }

  /** Returns the names of the signals whose current baseline is zero. */
  zeroBaselines(): ReadonlySet<string> {
    return this.entries.at(-1)?.zeroBaselines ?? new Set();
  }

  private meansOf(part: (entry: Entry) => Record<string, number | null>): Record<string, number | null> {
    const last = this.entries.at(-1);
    const result: Record<string, number | null> = {};
    for (const name of Object.keys(last === undefined ? {} : part(last))) {
      const values = this.entries.flatMap((entry) => part(entry)[name] ?? []);
      result[name] = values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
    }
    return result;
  }
}
