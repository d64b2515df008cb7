// The base path of the page: `/` at the engine itself, `/khor/` behind a proxy that serves it there.
// The built page derives the base path from the address of its own script, which is in `assets`.
function baseOf(script: string): string {
  return new URL('..', script).pathname;
}

// In development and in tests the page is at the root. Only the build has relative addresses.
export const BASE = import.meta.env.BASE_URL === './' ? baseOf(import.meta.url) : '/';

/** Adds the base path to a path of the engine, such as `/api/health`. */
export function at(path: string, base = BASE): string {
  return base + path.slice(1);
}

/** Removes the base path from a path. */
export function below(pathname: string, base = BASE): string {
  return pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
}
