// Mean rates and deviations of the last three seconds, for the sentence.
import { isNothing } from '../format/units';
import type { Moment } from './state';

const SPAN_MS = 3000;

/** Names of the two directions of `io`. No lane has such a name, because names of lanes have no spaces. */
export const DISK_READ = 'disk read';
export const DISK_WRITE = 'disk write';

/** Rates by lane, plus {@link DISK_READ} and {@link DISK_WRITE} in bytes per second; null when unknown. */
export type MeanRates = Record<string, number | null>;

interface Entry {
  ts: number;
  rates: MeanRates;
  deviations: Record<string, number | null>;
  /** Signals whose baseline is zero. */
  news: ReadonlySet<string>;
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
    const news = Object.entries(signals).flatMap(([name, { baseline, unit }]) => (isNothing(baseline, unit) ? [name] : []));
    this.entries.push({ ts: ts_ms, rates, deviations, news: new Set(news.includes('io') ? [...news, DISK_READ, DISK_WRITE] : news) });
    this.entries = this.entries.filter((entry) => Math.abs(ts_ms - entry.ts) <= SPAN_MS);
  }

  clear(): void {
    this.entries = [];
  }

  means(): MeanRates {
    return this.meansOf((entry) => entry.rates);
  }

  /** Mean deviations, octaves, by the same names as the rates. The two directions of `io` have
   *  its deviation. */
  deviations(): Record<string, number | null> {
    return this.meansOf((entry) => entry.deviations);
  }

  /** Signals whose baseline is zero now. */
  news(): ReadonlySet<string> {
    return this.entries.at(-1)?.news ?? new Set();
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
