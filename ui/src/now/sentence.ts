// Writes one sentence about the machine: its activity as rates, and how far the first rate is from
// the baseline.
import type { Family } from '../api/types';
import { spokenBytes, spokenCount, spokenShare } from '../format/units';
import { DISK_READ, DISK_WRITE, type MeanRates } from '../live/recent';

interface Clause {
  rate: string;
  family: Family;
  /** Three-second mean from which the clause is said; it is dropped again below 70 % of it. */
  from: number;
  /** Pressure and loss come before mere traffic. */
  grave?: true;
  words: (value: number) => [verb: string, figure: string, tail?: string];
}

const MB = 1e6;

/** "1 program", "20 programs" */
const counted = (value: number, one: string) => `${spokenCount(value)} ${one}${spokenCount(value) === '1' ? '' : 's'}`;

/** A clause's threshold is a rate that a person notices on any machine. A tenth of it is "a
 *  little". */
const CLAUSES: readonly Clause[] = [
  { rate: 'mem', family: 'memory', from: 0.05, grave: true, words: (v) => ['waiting on', 'memory', `${spokenShare(v)} of the time`] },
  { rate: 'stall', family: 'disk', from: 0.05, grave: true, words: (v) => ['waiting on', 'the disk', `${spokenShare(v)} of the time`] },
  { rate: 'cpu', family: 'kernel', from: 0.1, grave: true, words: (v) => ['waiting on', 'the CPU', `${spokenShare(v)} of the time`] },
  { rate: 'retx', family: 'network', from: 2, grave: true, words: (v) => ['resending', counted(v, 'lost segment'), 'a second'] },
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

/** The text in place of the sentence until the first values arrive. */
export const LISTENING = 'Listening…';

const STAY = 0.7;
const LITTLE = 0.1;
const MOST = 3;
/** From this many octaves on it is said how much more than usual it is. */
const UNUSUAL = 1;

export interface Part {
  text: string;
  /** Set on the words that name a figure or a signal. */
  family?: Family;
}

export interface Told {
  parts: Part[];
  /** What is being said, apart from its figures; when this changes the sentence is news. */
  keys: string[];
}

/** How the rate compares with the usual, in words; no factor if the usual is zero (`isNew`). */
function timesUsual(octaves: number | null | undefined, isNew: boolean): string | null {
  if (octaves === null || octaves === undefined || octaves < UNUSUAL) return null;
  if (isNew) return 'where there is usually nothing';
  const times = 2 ** octaves;
  if (times >= 1000) return 'over a thousand times the usual';
  return `${times < 9.5 ? Math.round(times) : Math.round(times / 10) * 10 || 10} times the usual`;
}

function urgency(clause: Clause, value: number): number {
  return (clause.grave ? 1000 : 1) * Math.log1p(value / clause.from);
}

/**
 * `previous` are the keys of the last sentence, for hysteresis. `deviations` are octaves above the
 * baseline where it is known. `news` are the signals whose baseline is zero.
 */
export function tell(rates: MeanRates, previous: readonly string[] = [], deviations: Readonly<Record<string, number | null>> = {}, news: ReadonlySet<string> = new Set()): Told {
  const known = Object.values(rates).some((value) => value !== null);
  if (!known) return { parts: [{ text: 'Nothing is known yet.' }], keys: ['unknown'] };
  const valued = CLAUSES.flatMap((clause) => {
    const value = rates[clause.rate];
    return value === null || value === undefined ? [] : [{ clause, value }];
  });
  const said = valued
    .filter(({ clause, value }) => value >= clause.from * (previous.includes(clause.rate) ? STAY : 1))
    // Every program started is also a task created: the first says it better.
    .filter(({ clause }, _, all) => clause.rate !== 'fork' || !all.some((other) => other.clause.rate === 'exec'))
    .sort((a, b) => urgency(b.clause, b.value) - urgency(a.clause, a.value))
    .slice(0, MOST);
  const first = said[0];
  if (first !== undefined) {
    const usual = timesUsual(deviations[first.clause.rate], news.has(first.clause.rate));
    // The comparison takes the room of a clause.
    const spoken = usual === null ? said : said.slice(0, MOST - 1);
    const words = spoken.map(({ clause, value }) => clause.words(value));
    return { parts: join(words, spoken, true, usual), keys: spoken.map(({ clause }) => clause.rate) };
  }

  const little = valued
    .filter(({ clause, value }) => value >= clause.from * LITTLE * (previous.includes(`little ${clause.rate}`) ? STAY : 1))
    .sort((a, b) => b.value / b.clause.from - a.value / a.clause.from)
    .slice(0, 1);
  const one = little[0];
  if (one === undefined) return { parts: [{ text: 'Quiet.' }], keys: ['quiet'] };
  return { parts: [{ text: 'Little going on: ' }, ...join([one.clause.words(one.value)], little, false)], keys: [`little ${one.clause.rate}`] };
}

function join(words: [string, string, string?][], said: { clause: Clause }[], capital = true, usual: string | null = null): Part[] {
  const parts: Part[] = [];
  words.forEach(([verb, figure, tail], i) => {
    const before = i === 0 ? '' : i === words.length - 1 ? ' and ' : ', ';
    const start = i === 0 && capital ? verb.charAt(0).toUpperCase() + verb.slice(1) : verb;
    const family = said[i]?.clause.family;
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
