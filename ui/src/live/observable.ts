// A value whose subscribers are called after each change. The whole state of the page consists of
// such values. The values do not use React, so the stores work before React is loaded.

export class Observable<T> {
  private current: T;
  private readonly subscribers = new Set<() => void>();

  constructor(initial: T) {
    this.current = initial;
  }

  get = (): T => this.current;

  set = (next: T): void => {
    if (Object.is(next, this.current)) return;
    this.current = next;
    for (const subscriber of this.subscribers) subscriber();
  };

  subscribe = (subscriber: () => void): (() => void) => {
    this.subscribers.add(subscriber);
    return () => this.subscribers.delete(subscriber);
  };
}
