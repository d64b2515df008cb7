// Stores the hosts of the site and their order. Requests the hosts once a second while the Fleet
// view is open.
import type { Client } from '../api/client';
import type { Fleet, Health } from '../api/types';
import { Observable } from '../live/observable';
import { arranged, EMPTY, type Arrangement } from './order';

const POLL_MS = 1000;
/** How long hosts keep their places after the user has moved the mouse over them or pressed a key,
 *  in milliseconds. */
const STILL_MS = 4000;

export interface FleetState {
  fleet: Fleet;
  arrangement: Arrangement;
}

export class FleetStore {
  /** The site and the order of its hosts; null until the engine has answered. */
  readonly state = new Observable<FleetState | null>(null);
  /** Whether the engine plays a site. This stays true while the server of the site does not
   *  answer. */
  readonly hasSite = new Observable(false);
  private readonly client: Client;
  private stillUntil = 0;

  constructor(client: Client) {
    this.client = client;
  }

  /** Reads from the engine's health whether its source is a site. */
  follow(health: Health | null): void {
    const kind = health?.source.kind ?? null;
    if (kind !== null) this.hasSite.set(kind === 'site');
  }

  /** Keeps all hosts at their places for a while, because the user is pointing at one of them. */
  hold = (): void => {
    this.stillUntil = performance.now() + STILL_MS;
  };

  refresh = async (): Promise<void> => {
    const [asked] = await Promise.allSettled([this.client.fleet()]);
    // Ignore errors: the event stream reports a lost engine. The last known hosts stay visible,
    // greyed out.
    if (asked.status !== 'fulfilled') return;
    const [fleet, now] = [asked.value, performance.now()];
    const before = this.state.get()?.arrangement ?? EMPTY;
    this.state.set({ fleet, arrangement: arranged(before, fleet.hosts, now, now >= this.stillUntil) });
  };

  /** Requests the hosts once a second. Call the returned function to stop the requests. */
  watch = (): (() => void) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const ask = async () => {
      if (!document.hidden) await this.refresh();
      if (!over) timer = setTimeout(() => void ask(), POLL_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  };
}
