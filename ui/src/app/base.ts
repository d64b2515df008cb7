// The base path of the page: `/` if the engine serves it directly, or for example `/khor/` behind a
// proxy. The built page derives the base path from the address of its own script in `assets/`.
function baseOf(script: string): string {
  return new URL('..', script).pathname;
}

// Only the built page has relative addresses. In development and in tests, the page is at the root.
export const BASE = import.meta.env.BASE_URL === './' ? baseOf(import.meta.url) : '/';

/** Adds the base path before a path of the engine, such as `/api/health`. */
export function at(path: string, base = BASE): string {
  return base + path.slice(1);
}

/** Removes the base path from the path of an address. */
export function below(pathname: string, base = BASE): string {
  return pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
}
