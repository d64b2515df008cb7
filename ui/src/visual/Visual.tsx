// The visualiser: a moving picture of the music that fills the whole page. If the user prefers
// reduced motion, it is a still picture that changes once a bar.
import { useEffect, useRef, useState } from 'react';
import { useStores } from '../app/context';
import { plain, sentenceOf } from '../now/sentence';
import { fit } from '../theme/canvas';
import { paintVisual } from './painter';
import './visual.css';

/** Time between two frames, in milliseconds. About thirty frames a second are enough, because
 *  everything moves slowly. */
const FRAME_MS = 33;
const RENEW_MS = 4000;

function usePainting(canvas: React.RefObject<HTMLCanvasElement | null>) {
  const { live, theme } = useStores();
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)');
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      timer = setTimeout(() => {
        frame = requestAnimationFrame(paint);
      }, still.matches ? live.bars.barMs : FRAME_MS);
      const now = live.now();
      if (now === null) return;
      paintVisual(context, {
        ...fit(element, 2), now,
        notes: live.notes.since(now - 20_000),
        cues: live.cues.list.get(),
        signals: live.text.get()?.signals ?? {},
        palette: theme.palette.get(),
      });
    };
    paint();
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  }, [live, theme, canvas]);
}

export function Visual({ close, lost }: { close: () => void; lost: boolean }) {
  const { live } = useStores();
  const dialog = useRef<HTMLDialogElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [words, setWords] = useState('');
  usePainting(canvas);

  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      if (document.fullscreenElement === element) void document.exitFullscreen();
      element?.close();
    };
  }, []);
  useEffect(() => {
    let keys: readonly string[] = [];
    const renew = () => {
      const sentence = sentenceOf(live.recent.means(), keys);
      keys = sentence.keys;
      setWords(plain(sentence.parts));
    };
    const first = setTimeout(renew, 300);
    const timer = setInterval(renew, RENEW_MS);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [live]);

  const full = () => void (document.fullscreenElement === null ? dialog.current?.requestFullscreen() : document.exitFullscreen());
  return (
    <dialog className="visual" ref={dialog} aria-label="Visualiser" onCancel={close}>
      <canvas ref={canvas} role="img" aria-label={words} />
      <p className="words">{lost ? 'The engine is not answering.' : words}</p>
      <div className="buttons">
        {document.fullscreenEnabled && (
          <button type="button" id="full" onClick={full}>
            Full screen
          </button>
        )}
        <button type="button" id="visual-close" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  );
}
