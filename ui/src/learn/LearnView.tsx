// The Learn view: a guided tour of the layers and signal families, and a listening quiz.
import { useEffect } from 'react';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import { Layers } from './Layers';
import { Quiz } from './Quiz';
import { Tour } from './Tour';
import './learn.css';

export function LearnView() {
  const { learn } = useStores();
  const clips = useObservable(learn.clips);
  const error = useObservable(learn.error);
  useEffect(() => {
    void learn.load();
    return learn.stop;
  }, [learn]);
  return (
    <>
      <div className="head">
        <h1>Learn</h1>
        <p>A tour of 90 seconds explains the sound. A quiz tests your ear.</p>
      </div>
      <div className="learn">
        {clips !== null && clips.length === 0 && (
          <p className="card" id="no-clips" role="status">
            This engine has no sound clips, so there is no tour and no quiz. The layers are explained below.
          </p>
        )}
        {clips !== null && clips.length > 0 && (
          <>
            <Tour clips={clips} />
            <Quiz clips={clips} />
            <div role="alert" className="refusal" hidden={error === null}>
              {error}
            </div>
          </>
        )}
        {clips !== null && <Layers />}
      </div>
    </>
  );
}
