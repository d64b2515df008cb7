// The base path of the page: `/` if the engine serves it directly, or a prefix such as `/khor/`
// behind a proxy. The built page derives the base path from the URL of its own script in `assets/`.
function baseOf(script: string): string {
  return new URL('..', script).pathname;
}

// Only the built page uses relative URLs. In development and in tests, the page is at the root.
export const BASE = import.meta.env.BASE_URL === './' ? baseOf(import.meta.url) : '/';

/** Adds the base path to a path on the engine, such as `/api/health`. */
export function at(path: string, base = BASE): string {
  return base + path.slice(1);
}

/** Removes the base path from the path of a URL. */
export function below(pathname: string, base = BASE): string {
  return pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
}
