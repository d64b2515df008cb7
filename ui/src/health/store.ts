// The engine's health. The event stream sends it; after a command of this page it is requested at once.
import type { Client } from '../api/client';
import type { Health } from '../api/types';
import { Observable } from '../live/observable';

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
}
