// Shows all lanes in the order of the engine's catalogue. A cursor shows the past values of all
// lanes at one time.
import { Suspense, useCallback, useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { useStores } from '../app/context';
import { clock, spanText } from '../format/units';
import { lanesOf, type LaneSpec } from '../live/catalogue';
import type { LaneSignal } from '../live/state';
import { useObservable } from '../live/useObservable';
import { Lane } from './Lane';
import { LaneCharts } from './later';
import './lanes.css';

const KEY_STEP_MS = 1000;
/** A note lights the symbol of its lane for at least this time, in milliseconds, so that short
 *  notes are visible. */
const GLOW_MS = 300;

const same = (a: readonly LaneSpec[], b: readonly LaneSpec[]) =>
  a.length === b.length && a.every((spec, i) => spec.name === b[i]?.name && spec.label === b[i].label && spec.family === b[i].family && spec.grain === b[i].grain);

/** Returns the lanes of the signals. The signals change four times a second, but a new array would
 *  restart all charts. So the function returns the same array until a lane changes. */
function useLanes(signals: Record<string, LaneSignal> | undefined): readonly LaneSpec[] {
  const [lanes, setLanes] = useState(() => lanesOf(signals));
  const next = lanesOf(signals);
  if (same(lanes, next)) return lanes;
  setLanes(next);
  return next;
}

export function Lanes() {
  const { live } = useStores();
  const metrics = useObservable(live.text);
  const box = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLDivElement>(null);
  /** The time at the cursor, by the engine's clock; null if the charts show no cursor. */
  const [time, setTime] = useState<number | null>(null);
  const signals = metrics?.signals;
  const lanes = useLanes(signals);
  const lit = metrics === null ? null : live.notes.lit(metrics.ts_ms, GLOW_MS);
  const index = time === null ? null : live.history.nearest(time);

  /** Returns the position and the width of the charts, in CSS pixels. They are the same in all
   *  lanes. `left` is the distance from the left edge of the section, and `x` is the distance from
   *  the left edge of the window. */
  const plot = useCallback(() => {
    const chart = box.current?.querySelector('.charts > div');
    const outer = box.current?.getBoundingClientRect();
    const inner = chart?.getBoundingClientRect();
    return outer && inner && inner.width > 0 ? { left: inner.left - outer.left, width: inner.width, x: inner.left } : null;
  }, []);

  const point = (event: PointerEvent) => {
    const area = plot();
    const end = live.history.lastTime;
    if (area === null || end === null) return;
    const share = (event.clientX - area.x) / area.width;
    setTime(share < 0 || share > 1 ? null : end - live.history.windowMs * (1 - share));
  };

  const key = (event: KeyboardEvent) => {
    const end = live.history.lastTime;
    if (end === null) return;
    if (event.key === 'Escape') setTime(null);
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    const step = (event.key === 'ArrowLeft' ? -1 : 1) * (event.shiftKey ? 10 : 1) * KEY_STEP_MS;
    setTime(Math.max(end - live.history.windowMs, Math.min(end, (time ?? end) + step)));
  };

  useEffect(() => {
    const place = () => {
      if (line.current === null) return;
      const area = plot();
      const end = live.history.lastTime;
      const share = time === null || end === null ? -1 : 1 - (end - time) / live.history.windowMs;
      line.current.hidden = area === null || share < 0;
      if (area !== null) line.current.style.transform = `translateX(${Math.round(area.left + share * area.width)}px)`;
    };
    place();
    return live.onDue(() => time !== null, place);
  }, [live, plot, time]);

  const end = live.history.lastTime;
  const ago = time === null || end === null ? null : Math.round((end - time) / 1000);
  return (
    <section aria-labelledby="lanes-title">
      <h2 id="lanes-title">
        Signals <span>{ago === null || time === null ? spanText(live.history.windowMs) : `at ${clock(time)}, ${ago} s ago`}</span>
        <span className="key" aria-hidden="true">
          <i className="band" /> half to twice the baseline <i className="meter" /> level
        </span>
      </h2>
      <div
        className="lanes"
        id="lanes"
        ref={box}
        role="group"
        aria-label="Signals in the last minutes; the left and right arrow keys show past values"
        tabIndex={0}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setTime(null)}
        onKeyDown={key}
        onBlur={() => setTime(null)}
      >
        <div className="cursor" ref={line} hidden />
        <Suspense>
          <LaneCharts lanes={lanes} />
        </Suspense>
        {lanes.map((spec) => (
          <Lane key={spec.name} spec={spec} signal={signals?.[spec.name]} lit={lit?.has(spec.name) ?? false} index={index} reading={time !== null} />
        ))}
      </div>
    </section>
  );
}
