// Where the page is: `/` at the engine itself, `/khor/` behind a proxy that puts it there. The built
// page reads that off the address of its own script, which lies in `assets` below it.
function baseOf(script: string): string {
  return new URL('..', script).pathname;
}

// While developing, and in tests, the page is at the root. The build is relative.
export const BASE = import.meta.env.BASE_URL === './' ? baseOf(import.meta.url) : '/';

/** The address of a path that begins with a slash and is one of the engine's own. */
export function at(path: string, base = BASE): string {
  return base + path.slice(1);
}

/** The path without what the proxy put before it. */
export function below(pathname: string, base = BASE): string {
  return pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;
}
