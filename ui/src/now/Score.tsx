// The score: a scrolling piano roll of the last sixteen bars. If the user prefers reduced motion,
// the score is a still picture that changes once a bar.
import { useEffect, useRef, useState, type PointerEvent } from 'react';
import { useStores } from '../app/context';
import type { Note } from '../api/types';
import { noteName } from '../format/music';
import { FAMILIES } from '../live/catalogue';
import { useObservable } from '../live/useObservable';
import { Mark } from '../theme/Mark';
import { BANDS } from './scorePainter';
import { ScoreStrip } from './scoreStrip';
import './score.css';

export function Score() {
  const { live, theme } = useStores();
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const roll = useRef<ScoreStrip | null>(null);
  const [pointed, setPointed] = useState<Note | null>(null);
  const bar = useObservable(live.text)?.bar ?? null;

  useEffect(() => {
    const element = canvas.current;
    const around = box.current;
    const context = element?.getContext('2d');
    if (!element || !around || !context) return;
    const strip = new ScoreStrip({ live, theme }, element, around, context);
    const whole = () => strip.paintWhole();
    const resize = new ResizeObserver(whole);
    resize.observe(around);
    const still = matchMedia('(prefers-reduced-motion: reduce)');
    still.addEventListener('change', whole);
    const stops = [
      live.onDue(() => strip.due(), () => strip.paint()),
      theme.palette.subscribe(whole),
      live.session.subscribe(whole),
      live.link.subscribe(() => strip.halt(live.link.get() !== 'live')),
    ];
    roll.current = strip;
    return () => {
      roll.current = null;
      strip.stop();
      resize.disconnect();
      still.removeEventListener('change', whole);
      for (const stop of stops) stop();
    };
  }, [live, theme]);

  const point = (event: PointerEvent<HTMLDivElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    setPointed(roll.current?.noteAt(event.clientX - left, event.clientY - top) ?? null);
  };

  const caption = pointed === null ? 'the last 16 bars' : `${noteName(pointed.midi)}, ${pointed.role}${pointed.signal === null ? '' : `, from ${pointed.signal}`}`;
  return (
    <section aria-labelledby="score-title" className="score">
      <h2 id="score-title">
        Score <span>{caption}</span>
      </h2>
      <div className="roll">
        <div className="pane" ref={box} onPointerMove={point} onPointerLeave={() => setPointed(null)}>
          <canvas ref={canvas} role="img" aria-label="Piano roll of the last sixteen bars; the list “Sounding now” names the notes that are sounding" />
        </div>
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
        {bar !== null && <li className="at-bar">bar {bar}</li>}
      </ul>
    </section>
  );
}
