// The ear-training quiz without its sound: which clip comes next, among which answers, and the score.
import type { Clip } from './clips';

export const CHOICES = 4;
/** Of one's past answers to a scenario, how many are remembered. */
const MEMORY = 8;

export interface Score {
  asked: number;
  right: number;
  streak: number;
  best: number;
  /** By scenario, the last answers, newest last. */
  answers: Record<string, boolean[]>;
}

export interface Question {
  clip: Clip;
  choices: Clip[];
}

export const NO_SCORE: Score = { asked: 0, right: 0, streak: 0, best: 0, answers: {} };

/** What was often missed or seldom asked comes more often: 1 when always right, 3 when never. */
export function weight(answers: readonly boolean[] | undefined): number {
  if (answers === undefined || answers.length === 0) return 3;
  return 1 + (2 * answers.filter((right) => !right).length) / answers.length;
}

function pick(clips: readonly Clip[], score: Score, random: () => number): Clip | undefined {
  const weights = clips.map((clip) => weight(score.answers[clip.scenario]));
  let at = random() * weights.reduce((a, b) => a + b, 0);
  return clips.find((_, i) => (at -= weights[i] ?? 0) < 0) ?? clips.at(-1);
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** Null with fewer than two clips: there is nothing to choose among. `previous` is not asked twice in a row. */
export function question(clips: readonly Clip[], score: Score, previous: string | null, random: () => number): Question | null {
  if (clips.length < 2) return null;
  const clip = pick(clips.filter((it) => it.scenario !== previous), score, random);
  if (clip === undefined) return null;
  const others = shuffled(clips.filter((it) => it !== clip), random).slice(0, CHOICES - 1);
  return { clip, choices: shuffled([clip, ...others], random) };
}

export function answered(score: Score, scenario: string, right: boolean): Score {
  const streak = right ? score.streak + 1 : 0;
  return {
    asked: score.asked + 1,
    right: score.right + Number(right),
    streak,
    best: Math.max(score.best, streak),
    answers: { ...score.answers, [scenario]: [...(score.answers[scenario] ?? []), right].slice(-MEMORY) },
  };
}

export function scoreOf(text: string | null): Score {
  try {
    const stored = JSON.parse(text ?? '') as Partial<Score> | null;
    const numbers = [stored?.asked, stored?.right, stored?.streak, stored?.best];
    if (numbers.every((it) => Number.isInteger(it)) && typeof stored?.answers === 'object') return { ...NO_SCORE, ...stored };
  } catch {
    // Never stored, or by something else.
  }
  return NO_SCORE;
}
