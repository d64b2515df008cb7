// The hosts of the site that is heard: asked for once a second while the view is seen, and arranged calmly.
import type { Client } from '../api/client';
import type { Fleet, Health } from '../api/types';
import { Observable } from '../live/observable';
import { arranged, NOBODY, type Arrangement } from './order';

const POLL_MS = 1000;
/** Nothing moves under a hand: for so long after it stirred the hosts stay where they are. */
const STILL_MS = 4000;

export interface FleetState {
  fleet: Fleet;
  arrangement: Arrangement;
}

export class FleetStore {
  /** Null until the first answer. */
  readonly state = new Observable<FleetState | null>(null);
  /** Whether the engine hears a site, or did until its server went away. */
  readonly isThere = new Observable(false);
  private readonly client: Client;
  private stillUntil = 0;

  constructor(client: Client) {
    this.client = client;
  }

  follow(health: Health | null): void {
    const kind = health?.source.kind ?? null;
    if (kind !== null) this.isThere.set(kind === 'site');
  }

  /** A hand is at the hosts. */
  stir = (): void => {
    this.stillUntil = performance.now() + STILL_MS;
  };

  refresh = async (): Promise<void> => {
    const [asked] = await Promise.allSettled([this.client.fleet()]);
    // The stream notices when the engine is gone; the last that was known stays, greyed.
    if (asked.status !== 'fulfilled') return;
    const [fleet, now] = [asked.value, performance.now()];
    const before = this.state.get()?.arrangement ?? NOBODY;
    this.state.set({ fleet, arrangement: arranged(before, fleet.hosts, now, now >= this.stillUntil) });
  };

  /** Asks until the returned function is called, one question at a time. */
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
