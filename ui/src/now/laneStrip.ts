// Draws the charts of all lanes as one strip that moves to the left by whole pixels, behind a fixed
// window. One canvas contains the past, and is drawn again only after the strip has moved by 64
// pixels. A second canvas contains the newest columns, which are drawn as they arrive.
import uPlot from 'uplot';
import type { Stores } from '../app/stores';
import { octaves, type LaneSpec } from '../live/catalogue';
import { faded } from '../theme/store';
import { columnEnd, LANE_HEIGHT, laneRange, top } from './laneScale';

/** A chart marks the band around the baseline: this many octaves above and below it. With one
 *  octave, the band reaches from half the baseline to twice the baseline. */
const BAND = 1;
/** The strip is this many CSS pixels wider than its window. So the strip can move by this distance
 *  before it must be drawn again. */
const LEAD = 64;
/** The canvas with the newest columns overlaps the canvas with the past by this many CSS pixels,
 *  which hides the seam between the two canvases. */
const OVERLAP = 2;
/** The newest values are drawn after at most this time, in milliseconds, even if their column of
 *  pixels is still incomplete. */
const STALE_MS = 500;
/** The band around a baseline is drawn again after the baseline has moved by more than this many
 *  octaves, which is about half a pixel on the chart. */
const DRIFT = 0.05;
/** uPlot requires this name for the scale of its first series. */
const TIME = 'x';

/** The scales with which the strip was drawn. New columns use the same scales. */
interface Scales {
  /** Time at the left edge of the strip, in milliseconds. */
  start: number;
  /** Duration of one column of screen pixels, in milliseconds. */
  columnMs: number;
  ratio: number;
  windowMs: number;
  /** For each lane: the baseline (`baselines`) and the top of the scale (`tops`), in octaves, and
   *  whether the lane is unavailable. */
  baselines: (number | null)[];
  tops: number[];
  unavailable: boolean[];
}

export class LaneStrip {
  private scales: Scales | null = null;
  private readonly past: uPlot;
  private readonly newest: uPlot;
  private drawnTo = 0;
  private drawnAt = 0;

  /** Draws into the element `strip`. The parent of `strip` is the window that shows a part of
   *  it. */
  constructor(
    private readonly stores: Pick<Stores, 'live' | 'theme'>,
    private readonly strip: HTMLElement,
    private readonly lanes: readonly LaneSpec[],
  ) {
    this.past = this.plot(() => 0, [(plot) => this.drawBands(plot)]);
    this.newest = this.plot((scales) => this.seam(scales), []);
    this.newest.root.style.position = 'absolute';
    this.newest.root.style.top = '0';
  }

  /** Whether `draw` would change the charts. */
  due(): boolean {
    return this.end() !== this.drawnTo || performance.now() - this.drawnAt >= STALE_MS;
  }

  draw(): void {
    const { scales } = this;
    const columns = scales === null ? 0 : Math.round((this.end() - scales.start - scales.windowMs) / scales.columnMs);
    if (scales === null || columns < 0 || columns > LEAD * scales.ratio || this.outdated(scales)) {
      this.drawWhole();
      return;
    }
    const { times } = this.stores.live.history;
    let first = times.length;
    const from = scales.start + this.seam(scales) * scales.ratio * scales.columnMs;
    while (first > 0 && (times[first - 1] ?? 0) >= from) first -= 1;
    this.newest.setData(this.data(Math.max(0, first - 1)));
    this.strip.style.transform = `translateX(${-columns / scales.ratio}px)`;
    [this.drawnTo, this.drawnAt] = [this.end(), performance.now()];
  }

  /** Draws the whole strip again. Called after a change of size, colours or history. */
  drawWhole(): void {
    const width = this.width();
    if (width === 0) return;
    const { history } = this.stores.live;
    // Set the size first, because the duration of a column depends on the size.
    if (this.past.width !== width + LEAD) this.past.setSize({ width: width + LEAD, height: this.past.height });
    this.scales = { ...this.measured(), start: this.end() - history.windowMs, columnMs: this.columnMs(), ratio: devicePixelRatio, windowMs: history.windowMs };
    this.newest.root.style.transform = `translateX(${width - OVERLAP}px)`;
    this.past.setData(this.data(0));
    this.draw();
  }

  destroy(): void {
    this.past.destroy();
    this.newest.destroy();
  }

  private width(): number {
    return this.strip.parentElement?.clientWidth ?? 0;
  }

  private columnMs(): number {
    return this.stores.live.history.windowMs / Math.max(1, Math.round((this.past.width - LEAD) * devicePixelRatio));
  }

  private end(): number {
    return columnEnd(this.stores.live.history.lastTime ?? 0, this.columnMs());
  }

  /** Returns the left edge of the newest columns, in CSS pixels from the left edge of the strip. */
  private seam({ windowMs, columnMs, ratio }: Scales): number {
    return windowMs / columnMs / ratio - OVERLAP;
  }

  /** Returns the scales that fit the current values. */
  private measured(): Pick<Scales, 'baselines' | 'tops' | 'unavailable'> {
    const { history, text } = this.stores.live;
    const signals = this.lanes.map(({ name }) => text.get()?.signals[name]);
    const baselines = this.lanes.map(({ grain }, i) => {
      const baseline = signals[i]?.baseline ?? null;
      return baseline === null ? null : octaves(baseline, grain);
    });
    return { baselines, unavailable: signals.map((signal) => signal?.available === false), tops: this.lanes.map(({ name }, i) => top(history.lane(name).heights, baselines[i] ?? 0)) };
  }

  /** Whether the scales of the charts have changed so much that the whole strip must be drawn
   *  again. */
  private outdated(scales: Scales): boolean {
    const { baselines, tops, unavailable } = this.measured();
    const drifted = baselines.some((it, i) => {
      const before = scales.baselines[i] ?? null;
      return it === null || before === null ? it !== before : Math.abs(it - before) > DRIFT;
    });
    return (
      drifted ||
      tops.some((it, i) => it !== scales.tops[i]) ||
      unavailable.some((it, i) => it !== scales.unavailable[i]) ||
      scales.windowMs !== this.stores.live.history.windowMs ||
      scales.ratio !== devicePixelRatio
    );
  }

  /** Returns the data of the charts from index `first` on. Unavailable lanes have no values. */
  private data(first: number): uPlot.AlignedData {
    const { history } = this.stores.live;
    const times = history.times.slice(first);
    return [times, ...this.lanes.map(({ name }, i) => (this.scales?.unavailable[i] === true ? times.map(() => null) : history.lane(name).heights.slice(first)))];
  }

  private plot(left: (scales: Scales) => number, drawClear: ((plot: uPlot) => void)[]): uPlot {
    const range = ({ width }: uPlot): [number, number] => {
      const { scales } = this;
      if (scales === null) return [0, 1];
      const perPixel = scales.columnMs * scales.ratio;
      const from = scales.start + left(scales) * perPixel;
      return [from, from + width * perPixel];
    };
    const height = (i: number) => () => laneRange(i, this.lanes.length, this.scales?.tops[i] ?? 1);
    return new uPlot(
      {
        width: LEAD + OVERLAP,
        height: this.lanes.length * LANE_HEIGHT,
        padding: [0, 0, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: { ...Object.fromEntries(this.lanes.map(({ name }, i) => [scaleOf(name), { range: height(i) }])), [TIME]: { time: false, range } },
        series: [
          { scale: TIME },
          ...this.lanes.map(({ name, family }) => ({ scale: scaleOf(name), stroke: () => this.stores.theme.palette.get()[family], width: 1.5, points: { show: false } })),
        ],
        hooks: { drawClear },
      },
      this.data(0),
      this.strip,
    );
  }

  private drawBands(plot: uPlot): void {
    const { scales } = this;
    if (scales === null) return;
    const palette = this.stores.theme.palette.get();
    const { left, width } = plot.bbox;
    this.lanes.forEach(({ name, family }, i) => {
      const at = scales.baselines[i] ?? null;
      if (at === null || scales.unavailable[i] === true) return;
      const from = plot.valToPos(Math.max(0, at - BAND), scaleOf(name), true);
      const to = plot.valToPos(Math.min(scales.tops[i] ?? at, at + BAND), scaleOf(name), true);
      plot.ctx.fillStyle = faded(palette[family], 0.15);
      plot.ctx.fillRect(left, to, width, from - to);
    });
  }
}

const scaleOf = (name: string) => `y ${name}`;
