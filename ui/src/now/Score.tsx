// The last sixteen bars of music, scrolling; a still picture renewed every bar when motion is to be reduced.
import { useEffect, useRef, useState, type PointerEvent } from 'react';
import { useStores } from '../app/stores';
import type { Note } from '../api/types';
import { noteName } from '../format/music';
import { FAMILIES, lanesOf } from '../live/catalogue';
import { useObservable } from '../live/observable';
import { fit } from '../theme/canvas';
import { Mark } from '../theme/Mark';
import { BANDS, paintScore, type Placed } from './scorePainter';
import './score.css';

/** About fifteen pictures a second: the roll moves one or two pixels in each. */
const FRAME_MS = 60;

export function Score() {
  const { live, theme } = useStores();
  const canvas = useRef<HTMLCanvasElement>(null);
  const placed = useRef<Placed[]>([]);
  const [pointed, setPointed] = useState<Note | null>(null);
  const metrics = useObservable(live.text);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)');
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A timer before each animation frame: asking for every frame would keep the browser composing at full rate for nothing.
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(soon, still.matches ? live.bars.barMs : FRAME_MS);
    };
    const soon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (live.link.get() === 'live') later();
        paint();
      });
    };
    const paint = () => {
      const now = live.now();
      if (now === null) return;
      const families = new Map(lanesOf(live.text.get()?.signals).map((spec) => [spec.name, spec.family]));
      const windowMs = live.bars.windowMs;
      placed.current = paintScore(context, {
        ...fit(element), now, windowMs,
        notes: live.notes.since(now - windowMs - 30_000),
        cues: live.cues.list.get().filter((cue) => cue.ts_ms <= now && cue.ts_ms >= now - windowMs),
        bars: live.bars.starts(now - windowMs),
        palette: theme.palette.get(),
        family: (signal) => (signal === null ? null : (families.get(signal) ?? null)),
      });
    };
    const resize = new ResizeObserver(soon);
    resize.observe(element);
    const stops = [theme.palette.subscribe(soon), live.session.subscribe(soon)];
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      resize.disconnect();
      for (const stop of stops) stop();
    };
  }, [live, theme]);

  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const near = placed.current.filter((it) => x >= it.x - 4 && x <= it.x + it.width + 4 && Math.abs(y - it.y - it.height / 2) < 8);
    setPointed(near.at(-1)?.note ?? null);
  };

  const caption = pointed === null ? 'the last 16 bars' : `${noteName(pointed.midi)}, ${pointed.role}${pointed.signal === null ? '' : `, from ${pointed.signal}`}`;
  return (
    <section aria-labelledby="score-title" className="score">
      <h2 id="score-title">
        Score <span>{caption}</span>
      </h2>
      <div className="roll">
        <canvas ref={canvas} role="img" aria-label="Piano roll of the last sixteen bars; what sounds is listed under Sounding now" onPointerMove={point} onPointerLeave={() => setPointed(null)} />
        {BANDS.map(({ layer }) => (
          <span key={layer} data-layer={layer} aria-hidden="true">
            {layer}
          </span>
        ))}
      </div>
      <ul className="families" aria-label="Colours">
        {FAMILIES.map((family) => (
          <li key={family}>
            <Mark family={family} lit />
            {family}
          </li>
        ))}
        <li>
          <Mark family={null} lit />
          no single signal
        </li>
        {metrics !== null && <li className="bar">bar {metrics.music.bar}</li>}
      </ul>
    </section>
  );
}
