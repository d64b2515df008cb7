// Assigns the problems of a preset to the rows where the user can fix them.
import type { Problem } from '../api/types';

/** The index of the route that a problem's path names, as in `map[3].range`; null if it names none. */
export function routeOf(path: string): number | null {
  const found = /^map\[(\d+)\]/.exec(path);
  return found?.[1] === undefined ? null : Number(found[1]);
}

/** Removes the index of the route, which the row makes obvious. */
function inRow(message: string): string {
  return message.replace(/^map\[\d+\][.:]?\s*/, '');
}

export interface Sorted {
  routes: ReadonlyMap<number, readonly string[]>;
  /** The problems that belong to no row. */
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
/** Names that the API uses for other addresses beside the presets. */
const TAKEN = ['check', 'preview'];

/** Why a preset cannot have this name; null if it can. */
export function nameProblem(name: string, builtin: readonly string[]): string | null {
  if (!NAME.test(name)) return 'a name has lower case letters, digits, - and _, 1 to 64 of them';
  if (TAKEN.includes(name)) return `${name} is taken by khor itself; choose another name`;
  return builtin.includes(name) ? `${name} is built in; choose another name` : null;
}
