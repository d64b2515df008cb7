// Assigns each problem of a preset to the row of the mapping where the user can fix it.
import type { Problem } from '../api/types';

/** Returns the index of the route in a problem's path: 3 for `map[3].range`, or null if the path
 *  contains no route. */
export function routeOf(path: string): number | null {
  const found = /^map\[(\d+)\]/.exec(path);
  return found?.[1] === undefined ? null : Number(found[1]);
}

/** Removes the route's index from a message, because the message is shown in the row of that
 *  route. */
function inRow(message: string): string {
  return message.replace(/^map\[\d+\][.:]?\s*/, '');
}

export interface Sorted {
  /** The problems of each route, by the route's index. */
  routes: ReadonlyMap<number, readonly string[]>;
  /** The problems of the preset that do not belong to a route. */
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
/** Names that a preset cannot have, because the API uses them in other URLs. */
const RESERVED = ['check', 'preview'];

/** Returns why a preset cannot be saved with this name, or null if it can. */
export function nameProblem(name: string, builtin: readonly string[]): string | null {
  if (!NAME.test(name)) return 'invalid name: use 1 to 64 lower-case letters, digits, - or _';
  if (RESERVED.includes(name)) return `${name} is a reserved name; choose another name`;
  return builtin.includes(name) ? `${name} is built in; choose another name` : null;
}
