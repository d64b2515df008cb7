// Stores the last five minutes of every lane as parallel arrays that the charts can draw directly.
import type { HistoryColumns, Lane as LaneReport } from '../api/types';
import { octaves } from './catalogue';

export const WINDOW_MS = 300_000;
/** Shortest time span that a chart shows, in milliseconds. */
const LEAST_WINDOW_MS = 30_000;
/** The time span of the charts grows in steps. Each step multiplies the time span by this
 *  factor. */
const WINDOW_STEP = 1.05;
/** Time between two stored points, in milliseconds: the same as in the engine's history. One point
 *  covers about one device pixel of a chart. */
const SPACING_MS = 200;
/** If two neighbouring points are further apart than this, in milliseconds, the charts show a gap
 *  between them. */
const HOLE_MS = 3000;
/** Grain of a lane whose scale is not known yet. */
const UNKNOWN_GRAIN = 1;
/** Old points are dropped only in groups of at least this many points, because each drop copies the
 *  arrays. */
const LOT = 64;

/** The rate of every lane at one time; null if the rate is missing. */
export interface HistoryPoint {
  ts_ms: number;
  rates: Record<string, number | null>;
}

export interface Lane {
  rates: (number | null)[];
  /** The rates on the logarithmic scale of the charts, in octaves. */
  heights: (number | null)[];
}

export class History {
  times: number[] = [];
  private lanes = new Map<string, Lane>();
  private readonly grains = new Map<string, number>();

  /** Returns the stored values of a lane. If the lane is unknown, creates the lane with a missing
   *  value for each time. */
  lane(name: string): Lane {
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      const blank = () => this.times.map(() => null);
      lane = { rates: blank(), heights: blank() };
      this.lanes.set(name, lane);
    }
    return lane;
  }

  /** Sets the grains of the lanes. If the grain of a lane has changed, computes the heights of its
   *  chart again. */
  scale(lanes: readonly Pick<LaneReport, 'name' | 'grain'>[]): void {
    for (const { name, grain } of lanes) {
      if (this.grains.get(name) === grain) continue;
      this.grains.set(name, grain);
      const lane = this.lanes.get(name);
      if (lane !== undefined) lane.heights = lane.rates.map((rate) => this.heightOf(name, rate));
    }
  }

  get lastTime(): number | null {
    return this.times.at(-1) ?? null;
  }

  /** Length of the time span that the charts show, in milliseconds: the age of the oldest point, at
   *  most five minutes. The time span grows in steps, because each change redraws all charts. */
  get windowMs(): number {
    const [first, last] = [this.times[0], this.lastTime];
    if (first === undefined || last === null) return LEAST_WINDOW_MS;
    const steps = Math.ceil(Math.log((last - first) / LEAST_WINDOW_MS) / Math.log(WINDOW_STEP));
    return Math.min(WINDOW_MS, LEAST_WINDOW_MS * WINDOW_STEP ** Math.max(0, steps));
  }

  /** Appends a point from the event stream. Returns false if the point is too close to the last
   *  one. */
  push(point: HistoryPoint): boolean {
    const last = this.lastTime;
    // Every second event must be stored. Events are not evenly spaced, so three quarters of
    // `SPACING_MS` are enough between two points.
    if (last !== null && point.ts_ms > last && point.ts_ms - last < SPACING_MS * 0.75) return false;
    if (last !== null && point.ts_ms <= last) {
      if (last - point.ts_ms < HOLE_MS) return false;
      this.clear(); // The machine's clock was set back, so the old times are wrong.
    }
    this.append(point);
    this.trim(point.ts_ms);
    return true;
  }

  /** Adds the points of the engine's history. They replace all stored points of the time span that
   *  they cover, and leave the other stored points unchanged. */
  load(points: readonly HistoryPoint[]): void {
    const first = points[0];
    if (first === undefined) return;
    const end = points.at(-1)?.ts_ms ?? first.ts_ms;
    const before = this.slice((time) => time < first.ts_ms && time > end - WINDOW_MS);
    const after = this.slice((time) => time > end && time < end + WINDOW_MS);
    this.clear();
    for (const point of [...before, ...points, ...after]) this.append(point);
    this.trim(this.lastTime ?? 0);
  }

  /** Returns the index of the point that is nearest to `time`, or null if no point is within 1.5
   *  s. */
  nearest(time: number): number | null {
    let low = 0;
    let high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] ?? 0) < time) low = middle + 1;
      else high = middle;
    }
    const at = [low - 1, low].filter((i) => this.times[i] !== undefined);
    at.sort((a, b) => Math.abs((this.times[a] ?? 0) - time) - Math.abs((this.times[b] ?? 0) - time));
    const best = at[0];
    return best !== undefined && Math.abs((this.times[best] ?? 0) - time) <= 1500 ? best : null;
  }

  private append(point: HistoryPoint): void {
    const last = this.lastTime;
    if (last !== null && point.ts_ms - last > HOLE_MS) this.place(last + 1, {});
    for (const name of Object.keys(point.rates)) this.lane(name);
    this.place(point.ts_ms, point.rates);
  }

  private place(time: number, rates: HistoryPoint['rates']): void {
    this.times.push(time);
    for (const [name, lane] of this.lanes) {
      const rate = rates[name] ?? null;
      lane.rates.push(rate);
      lane.heights.push(this.heightOf(name, rate));
    }
  }

  private heightOf(name: string, rate: number | null): number | null {
    return rate === null ? null : octaves(rate, this.grains.get(name) ?? UNKNOWN_GRAIN);
  }

  private slice(keep: (time: number) => boolean): HistoryPoint[] {
    return this.times.flatMap((ts_ms, i) => {
      if (!keep(ts_ms)) return [];
      const point: HistoryPoint = { ts_ms, rates: {} };
      for (const [name, lane] of this.lanes) {
        point.rates[name] = lane.rates[i] ?? null;
      }
      return [point];
    });
  }

  private trim(now: number): void {
    const stale = this.times.findIndex((time) => time >= now - WINDOW_MS);
    if (stale < LOT) return;
    this.times.splice(0, stale);
    for (const lane of this.lanes.values()) {
      lane.rates.splice(0, stale);
      lane.heights.splice(0, stale);
    }
  }

  clear(): void {
    this.times.length = 0;
    for (const lane of this.lanes.values()) {
      lane.rates.length = 0;
      lane.heights.length = 0;
    }
  }
}

/** Converts the columns of the API, one for each signal, to points, one for each time. */
export function pointsOf({ ts_ms, rates }: Pick<HistoryColumns, 'ts_ms' | 'rates'>): HistoryPoint[] {
  const lanes = Object.entries(rates);
  return ts_ms.map((time, i) => ({ ts_ms: time, rates: Object.fromEntries(lanes.map(([name, list]) => [name, list[i] ?? null])) }));
}
