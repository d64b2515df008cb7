// Stores the engine's health: the state of its parts. The event stream sends it. After a command,
// the page also requests it.
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
      // The stream reports a lost engine. The last known health stays visible, greyed out.
    }
  };
}
