// The view Learn: a guided tour through the layers and families, and a listening quiz.
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
        <h1>Learn to hear it</h1>
        <p>A minute and a half to know the layers, and a quiz to be sure.</p>
      </div>
      <div className="learn">
        {clips !== null && clips.length === 0 && (
          <p className="card" id="no-clips" role="status">
            The engine gives no sound clips, so there is no tour and no quiz. What the layers mean is below; listen to the machine itself meanwhile.
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
