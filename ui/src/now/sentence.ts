// Writes the sentence about the machine: at most three activities with their rates. The sentence
// also says how far the first rate is above its baseline.
import type { Family } from '../api/types';
import { spokenBytes, spokenCount, spokenShare } from '../format/units';
import { DISK_READ, DISK_WRITE, type MeanRates } from '../live/recent';

/** A part of the sentence that describes one activity. */
interface Clause {
  /** Name of the rate that the clause describes. */
  rate: string;
  family: Family;
  /** Threshold of the clause: the sentence contains the clause when the mean rate over three
   *  seconds reaches this value, until the mean falls below 70 % of it. */
  from: number;
  /** Whether the activity is a problem. The sentence names problems first. */
  problem?: true;
  words: (value: number) => [verb: string, figure: string, tail?: string];
}

const MB = 1e6;

/** Writes a number with its noun: "1 program", "20 programs". */
const counted = (value: number, one: string) => `${spokenCount(value)} ${one}${spokenCount(value) === '1' ? '' : 's'}`;

/** All clauses. The thresholds are rates that matter on any machine. If no rate reaches its
 *  threshold, the sentence says "Low activity" and names one rate. If no rate reaches even a tenth
 *  of its threshold, the sentence is "Quiet." */
const CLAUSES: readonly Clause[] = [
  { rate: 'mem', family: 'memory', from: 0.05, problem: true, words: (v) => ['waiting on', 'memory', `${spokenShare(v)} of the time`] },
  { rate: 'stall', family: 'disk', from: 0.05, problem: true, words: (v) => ['waiting on', 'the disk', `${spokenShare(v)} of the time`] },
  { rate: 'cpu', family: 'kernel', from: 0.1, problem: true, words: (v) => ['waiting on', 'the CPU', `${spokenShare(v)} of the time`] },
  { rate: 'retx', family: 'network', from: 2, problem: true, words: (v) => ['resending', counted(v, 'lost segment'), 'a second'] },
  { rate: 'rx', family: 'network', from: MB, words: (v) => ['receiving', spokenBytes(v)] },
  { rate: 'tx', family: 'network', from: MB, words: (v) => ['sending', spokenBytes(v)] },
  { rate: 'local', family: 'network', from: MB, words: (v) => ['moving', spokenBytes(v), 'inside the machine'] },
  { rate: DISK_WRITE, family: 'disk', from: 2 * MB, words: (v) => ['writing', spokenBytes(v), 'to disk'] },
  { rate: DISK_READ, family: 'disk', from: 2 * MB, words: (v) => ['reading', spokenBytes(v), 'from disk'] },
  { rate: 'exec', family: 'process', from: 20, words: (v) => ['starting', counted(v, 'program'), 'a second'] },
  { rate: 'fork', family: 'process', from: 100, words: (v) => ['creating', counted(v, 'task'), 'a second'] },
  { rate: 'csw', family: 'kernel', from: 50_000, words: (v) => ['switching tasks', counted(v, 'time'), 'a second'] },
  { rate: 'irq', family: 'kernel', from: 50_000, words: (v) => ['handling', counted(v, 'interrupt'), 'a second'] },
];

/** The text that the page shows instead of the sentence until the first values arrive. */
export const WAITING = 'Waiting for data…';

/** A clause stays in the sentence until its rate falls below this share of the clause's
 *  threshold. */
const STAY = 0.7;
/** A rate that reaches this share of its clause's threshold counts as low activity. The sentence
 *  does not mention lower rates. */
const LITTLE = 0.1;
/** Maximum number of activities that the sentence about the machine describes. */
const MOST = 3;
/** Minimum deviation for which the sentence compares a rate with its baseline, in octaves. */
const UNUSUAL = 1;

export interface Part {
  text: string;
  /** The signal family that gives `text` its colour; not set for connecting words. */
  family?: Family;
}

export interface Sentence {
  parts: Part[];
  /** The names of the clauses, without numbers. If the names change, screen readers announce the
   *  sentence. */
  keys: string[];
}

/** Says how many times higher than usual a rate is; returns null if the rate is as usual. If the
 *  baseline is zero (`isNew`), returns words without a number. */
function timesUsual(octaves: number | null | undefined, isNew: boolean): string | null {
  if (octaves === null || octaves === undefined || octaves < UNUSUAL) return null;
  if (isNew) return 'usually none';
  const times = 2 ** octaves;
  if (times >= 1000) return 'over a thousand times the usual';
  return `${times < 9.5 ? Math.round(times) : Math.round(times / 10) * 10 || 10} times the usual`;
}

function urgency(clause: Clause, value: number): number {
  return (clause.problem ? 1000 : 1) * Math.log1p(value / clause.from);
}

/** Writes the sentence about `rates`. `previous` contains the keys of the last sentence, whose
 *  clauses stay until their rates have clearly fallen. `deviations` are in octaves above the known
 *  baselines. `zeroBaselines` names the signals whose baseline is zero. */
export function sentenceOf(rates: MeanRates, previous: readonly string[] = [], deviations: Readonly<Record<string, number | null>> = {}, zeroBaselines: ReadonlySet<string> = new Set()): Sentence {
  const known = Object.values(rates).some((value) => value !== null);
  if (!known) return { parts: [{ text: 'No data yet.' }], keys: ['unknown'] };
  const valued = CLAUSES.flatMap((clause) => {
    const value = rates[clause.rate];
    return value === null || value === undefined ? [] : [{ clause, value }];
  });
  const busy = valued
    .filter(({ clause, value }) => value >= clause.from * (previous.includes(clause.rate) ? STAY : 1))
    // Every program that starts also creates a task, so the sentence names only the programs.
    .filter(({ clause }, _, all) => clause.rate !== 'fork' || !all.some((other) => other.clause.rate === 'exec'))
    .sort((a, b) => urgency(b.clause, b.value) - urgency(a.clause, a.value))
    .slice(0, MOST);
  const first = busy[0];
  if (first !== undefined) {
    const usual = timesUsual(deviations[first.clause.rate], zeroBaselines.has(first.clause.rate));
    // If the sentence compares a rate with its baseline, it has room for one clause less.
    const named = usual === null ? busy : busy.slice(0, MOST - 1);
    const words = named.map(({ clause, value }) => clause.words(value));
    return { parts: join(words, named, true, usual), keys: named.map(({ clause }) => clause.rate) };
  }

  const little = valued
    .filter(({ clause, value }) => value >= clause.from * LITTLE * (previous.includes(`little ${clause.rate}`) ? STAY : 1))
    .sort((a, b) => b.value / b.clause.from - a.value / a.clause.from)
    .slice(0, 1);
  const one = little[0];
  if (one === undefined) return { parts: [{ text: 'Quiet.' }], keys: ['quiet'] };
  return { parts: [{ text: 'Low activity: ' }, ...join([one.clause.words(one.value)], little, false)], keys: [`little ${one.clause.rate}`] };
}

/** Joins the words of the clauses into one sentence. After the first clause, inserts `usual`, which
 *  compares its rate with the baseline. */
function join(words: [string, string, string?][], named: { clause: Clause }[], capital = true, usual: string | null = null): Part[] {
  const parts: Part[] = [];
  words.forEach(([verb, figure, tail], i) => {
    const before = i === 0 ? '' : i === words.length - 1 ? ' and ' : ', ';
    const start = i === 0 && capital ? verb.charAt(0).toUpperCase() + verb.slice(1) : verb;
    const family = named[i]?.clause.family;
    parts.push({ text: `${before}${start} ` }, family === undefined ? { text: figure } : { text: figure, family });
    if (tail !== undefined) parts.push({ text: ` ${tail}` });
    if (i === 0 && usual !== null) parts.push({ text: `, ${usual}${words.length > 1 ? ',' : ''}` });
  });
  parts.push({ text: '.' });
  return parts;
}

export function plain(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join('');
}
