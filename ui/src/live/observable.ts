// A value that can be watched: the whole of this page's state management. It knows no React, so that
// the stores run before React is loaded.

export class Observable<T> {
  private current: T;
  private readonly watchers = new Set<() => void>();

  constructor(initial: T) {
    this.current = initial;
  }

  get = (): T => this.current;

  set = (next: T): void => {
    if (Object.is(next, this.current)) return;
    this.current = next;
    for (const watcher of this.watchers) watcher();
  };

  subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
}
