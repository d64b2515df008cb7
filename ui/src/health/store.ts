// The engine's health, asked for every few seconds while the page is seen.
import type { Client } from '../api/client';
import type { Health } from '../api/types';
import { Observable } from '../live/observable';

const POLL_MS = 5000;

export class HealthStore {
  readonly state = new Observable<Health | null>(null);
  private readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  refresh = async (): Promise<void> => {
    try {
      this.state.set(await this.client.health());
    } catch {
      // The stream notices when the engine is gone; the last known health stays, greyed.
    }
  };

  /** Runs `poll` along with each refresh. */
  start(poll: () => void): () => void {
    const timer = setInterval(() => {
      if (document.hidden) return;
      void this.refresh();
      poll();
    }, POLL_MS);
    return () => clearInterval(timer);
  }
}
