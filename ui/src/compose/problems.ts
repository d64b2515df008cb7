// Sorts what is wrong with a preset to the places where it can be put right.
import type { Problem } from '../api/types';

/** The route a problem's path names, as in `map[3].range`; null when it is about something else. */
export function routeOf(path: string): number | null {
  const found = /^map\[(\d+)\]/.exec(path);
  return found?.[1] === undefined ? null : Number(found[1]);
}

/** Its row need not be named in the row. */
function inRow(message: string): string {
  return message.replace(/^map\[\d+\][.:]?\s*/, '');
}

export interface Sorted {
  routes: ReadonlyMap<number, readonly string[]>;
  /** What no row of the table shows. */
  others: readonly string[];
}

export function sortProblems(problems: readonly Problem[], rows: number): Sorted {
  const routes = new Map<number, string[]>();
  const others: string[] = [];
  for (const { path, message } of problems) {
    const row = routeOf(path);
    if (row === null || row >= rows) others.push(path === '' || message.startsWith(path) ? message : `${path}: ${message}`);
    else routes.set(row, [...(routes.get(row) ?? []), inRow(message)]);
  }
  return { routes, others };
}

const NAME = /^[a-z0-9_-]{1,64}$/;
/** Addresses of the API beside the presets. */
const TAKEN = ['check', 'preview'];

/** Why a preset cannot be saved under a name; null when it can. */
export function nameProblem(name: string, builtin: readonly string[]): string | null {
  if (!NAME.test(name)) return 'a name has lower case letters, digits, - and _, 1 to 64 of them';
  if (TAKEN.includes(name)) return `${name} is taken by khor itself; choose another name`;
  return builtin.includes(name) ? `${name} is built in; choose another name` : null;
}
