// Draws one signal's level over the last two minutes with uPlot; React only sets it up, the store's frames move it.
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useStores } from '../app/stores';
import type { Family } from '../api/types';
import { WINDOW_MS } from '../live/history';
import { faded } from '../theme/store';

const HEIGHT = 40;

export function LaneChart({ name, family, label }: { name: string; family: Family; label: string }) {
  const { live, theme } = useStores();
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const data = (): uPlot.AlignedData => [live.history.times, live.history.lane(name).levels];
    const color = () => theme.palette.get()[family];
    const plot = new uPlot(
      {
        width: Math.max(40, element.clientWidth),
        height: HEIGHT,
        padding: [2, 0, 2, 0],
        legend: { show: false },
        cursor: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: {
          x: { time: false, range: () => [(live.history.lastTime ?? WINDOW_MS) - WINDOW_MS, live.history.lastTime ?? WINDOW_MS] },
          y: { range: [0, 1] },
        },
        series: [{}, { stroke: color, fill: () => faded(color(), 0.17), width: 1.5, points: { show: false } }],
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
