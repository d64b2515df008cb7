// The charts of all lanes. Each chart fills the free space in its lane. All charts share two
// canvases, because each canvas costs CPU time in every frame.
import { useEffect, useRef } from 'react';
import 'uplot/dist/uPlot.min.css';
import { useStores } from '../app/context';
import type { LaneSpec } from '../live/catalogue';
import { LaneStrip } from './laneStrip';

export function LaneCharts({ lanes }: { lanes: readonly LaneSpec[] }) {
  const { live, theme } = useStores();
  const box = useRef<HTMLDivElement>(null);
  const strip = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (box.current === null || strip.current === null) return;
    const charts = new LaneStrip({ live, theme }, strip.current, lanes);
    const whole = () => charts.drawWhole();
    const resize = new ResizeObserver(whole);
    resize.observe(box.current);
    const stops = [live.onDue(() => charts.due(), () => charts.draw()), live.session.subscribe(whole), theme.palette.subscribe(whole)];
    return () => {
      for (const stop of stops) stop();
      resize.disconnect();
      charts.destroy();
    };
  }, [live, theme, lanes]);

  return (
    <div className="charts" aria-hidden="true">
      <div ref={box}>
        <div className="strip" ref={strip} />
      </div>
    </div>
  );
}
