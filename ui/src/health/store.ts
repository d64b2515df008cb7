// Stores the engine's health, which is the state of its parts. The event stream sends the health.
// After a command, the page also requests it.
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
      // Ignore errors: the event stream reports a lost engine. The last known health stays visible,
      // greyed out.
    }
  };
}
