// The listening quiz: a clip plays, and the user chooses what the machine is doing.
import { useState } from 'react';
import { useStores } from '../app/context';
import { useObservable } from '../live/useObservable';
import type { Clip } from './clips';
import { question, type Question, type Score } from './quiz';

function ScoreLine({ score }: { score: Score }) {
  const { learn } = useStores();
  if (score.asked === 0) return <p className="score-line">No answers yet.</p>;
  return (
    <p className="score-line" id="score-line">
      <b>
        {score.right} of {score.asked}
      </b>{' '}
      right ({Math.round((100 * score.right) / score.asked)} %), {score.streak} in a row, best {score.best}.{' '}
      <button type="button" className="quiet" onClick={learn.resetScore}>
        Reset the score
      </button>
    </p>
  );
}

function Explanation({ asked, chosen }: { asked: Question; chosen: Clip }) {
  const { learn } = useStores();
  const right = chosen === asked.clip;
  return (
    <div className="explanation" data-right={right}>
      <p>
        <b>{right ? '✓ Right.' : `✕ Wrong. The answer is: ${asked.clip.title}.`}</b> Listen for: {asked.clip.listen_for}
      </p>
      {!right && (
        <>
          <p>
            For “{chosen.title}”, listen for: {chosen.listen_for}
          </p>
          <button type="button" onClick={() => learn.play(chosen, { by: 'quiz' })}>
            Play “{chosen.title}”
          </button>
        </>
      )}
    </div>
  );
}

export function Quiz({ clips }: { clips: readonly Clip[] }) {
  const { learn } = useStores();
  const score = useObservable(learn.score);
  const playing = useObservable(learn.playing);
  const [asked, setAsked] = useState<Question | null>(null);
  const [chosen, setChosen] = useState<Clip | null>(null);

  const ask = () => {
    const next = question(clips, score, asked?.clip.scenario ?? null, Math.random);
    setAsked(next);
    setChosen(null);
    if (next !== null) learn.play(next.clip, { by: 'quiz' });
  };
  const answer = (clip: Clip) => {
    if (asked === null || chosen !== null) return;
    setChosen(clip);
    learn.answer(asked.clip.scenario, clip === asked.clip);
  };
  const on = asked !== null && playing?.clip === asked.clip;
  return (
    <section className="card quiz" aria-labelledby="quiz-title">
      <h2 id="quiz-title">The quiz</h2>
      <ScoreLine score={score} />
      {asked === null ? (
        <p>A clip plays, and you choose what the machine is doing. One of four answers is right.</p>
      ) : (
        <div className="choices" role="group" aria-label="What is the machine doing?">
          {asked.choices.map((clip) => {
            const mark = chosen === null ? '' : clip === asked.clip ? '✓ ' : clip === chosen ? '✕ ' : '';
            return (
              <button type="button" key={clip.scenario} data-scenario={clip.scenario} data-right={chosen !== null && clip === asked.clip} aria-pressed={clip === chosen} disabled={chosen !== null && clip !== chosen && clip !== asked.clip} onClick={() => answer(clip)}>
                {mark}
                {clip.title}
              </button>
            );
          })}
        </div>
      )}
      <div className="verdict" aria-live="polite">
        {asked !== null && chosen !== null && <Explanation asked={asked} chosen={chosen} />}
      </div>
      <div className="buttons">
        <button type="button" id="quiz-next" className="primary" onClick={ask}>
          {asked === null ? 'Start the quiz' : 'Next clip'}
        </button>
        {asked !== null && (
          <button type="button" id="quiz-replay" aria-pressed={on} onClick={() => (on ? learn.stop() : learn.play(asked.clip, { by: 'quiz' }))}>
            {on ? 'Stop' : 'Play it again'}
          </button>
        )}
      </div>
    </section>
  );
}
