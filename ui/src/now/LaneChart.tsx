// Draws one signal's rate over what is ordinary for it with uPlot; React only sets it up, the store's frames move it.
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useStores } from '../app/stores';
import type { Family } from '../api/types';
import { grainOf, octaves } from '../live/catalogue';
import { faded } from '../theme/store';

const HEIGHT = 40;
/** Least height of the scale above what is ordinary, octaves: a ripple must look like one. */
const LEAST_ABOVE = 3;
/** The band is drawn from half to twice what is ordinary: one octave to either side. */
const BAND = 1;

/** The scale from nothing to a whole number of octaves above everything, so that it rarely changes. */
export function top(heights: readonly (number | null)[], ordinary: number): number {
  let most = ordinary + LEAST_ABOVE;
  for (const height of heights) if (height !== null && height > most) most = height;
  return Math.ceil(most + 0.05);
}

interface Props {
  name: string;
  family: Family;
  label: string;
  /** What is ordinary, in the signal's unit. */
  baseline: number | null;
}

export function LaneChart({ name, family, label, baseline }: Props) {
  const { live, theme } = useStores();
  const box = useRef<HTMLDivElement>(null);
  const ordinary = useRef<number | null>(null);

  useEffect(() => {
    ordinary.current = baseline === null ? null : octaves(baseline, grainOf(name));
  }, [baseline, name]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const data = (): uPlot.AlignedData => [live.history.times, live.history.lane(name).heights];
    const color = () => theme.palette.get()[family];
    const band = (plot: uPlot) => {
      const at = ordinary.current;
      if (at === null) return;
      const { left, width, top: above, height } = plot.bbox;
      const from = Math.min(above + height, plot.valToPos(Math.max(0, at - BAND), 'y', true));
      const to = Math.max(above, plot.valToPos(at + BAND, 'y', true));
      plot.ctx.fillStyle = faded(color(), 0.15);
      plot.ctx.fillRect(left, to, width, from - to);
    };
    const plot = new uPlot(
      {
        width: Math.max(40, element.clientWidth),
        height: HEIGHT,
        padding: [2, 0, 2, 0],
        legend: { show: false },
        cursor: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: {
          x: { time: false, range: () => [(live.history.lastTime ?? live.history.windowMs) - live.history.windowMs, live.history.lastTime ?? live.history.windowMs] },
          y: { range: () => [0, top(live.history.lane(name).heights, ordinary.current ?? 0)] },
        },
        series: [{}, { stroke: color, width: 1.5, points: { show: false } }],
        hooks: { drawClear: [band] },
      },
      data(),
      element,
    );
    const stops = [live.onPoint(() => plot.setData(data())), theme.palette.subscribe(() => plot.redraw(false))];
    const resize = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    });
    resize.observe(element);
    return () => {
      for (const stop of stops) stop();
      resize.disconnect();
      plot.destroy();
    };
  }, [live, theme, name, family]);

  return <div className="chart" ref={box} role="img" aria-label={label} />;
}
