// The logic of the listening quiz: chooses the questions, and counts the score.
import type { Clip } from './clips';

/** Number of answers that each question offers. */
export const CHOICES = 4;
/** Number of past answers that the quiz remembers for each scenario. */
const MEMORY = 8;

export interface Score {
  asked: number;
  right: number;
  /** Number of right answers in a row up to now. */
  streak: number;
  /** Longest streak. */
  best: number;
  /** The last answers about each scenario, oldest first: true if the answer was right. */
  answers: Record<string, boolean[]>;
}

export interface Question {
  clip: Clip;
  choices: Clip[];
}

export const NO_SCORE: Score = { asked: 0, right: 0, streak: 0, best: 0, answers: {} };

/** Returns the weight of a scenario: 1 if all past answers were right, and 3 if all were wrong or
 *  there are none. The probability that the quiz asks about a scenario is proportional to its
 *  weight. */
export function weight(answers: readonly boolean[] | undefined): number {
  if (answers === undefined || answers.length === 0) return 3;
  return 1 + (2 * answers.filter((right) => !right).length) / answers.length;
}

/** Picks a random clip. The probability of a clip is proportional to the weight of its scenario. */
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

/** Returns the next question, or null if there are fewer than two clips. Never asks about the
 *  scenario `previous`. */
export function question(clips: readonly Clip[], score: Score, previous: string | null, random: () => number): Question | null {
  if (clips.length < 2) return null;
  const clip = pick(clips.filter((it) => it.scenario !== previous), score, random);
  if (clip === undefined) return null;
  const others = shuffled(clips.filter((it) => it !== clip), random).slice(0, CHOICES - 1);
  return { clip, choices: shuffled([clip, ...others], random) };
}

/** Returns the score after the user has answered a question. */
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

/** Reads the score that was stored as `text`. Returns an empty score if the text is missing or
 *  invalid. */
export function scoreOf(text: string | null): Score {
  try {
    const stored = JSON.parse(text ?? '') as Partial<Score> | null;
    const numbers = [stored?.asked, stored?.right, stored?.streak, stored?.best];
    if (numbers.every((it) => Number.isInteger(it)) && typeof stored?.answers === 'object') return { ...NO_SCORE, ...stored };
  } catch {
    // The stored text is missing or is not valid JSON, so return an empty score below.
  }
  return NO_SCORE;
}
