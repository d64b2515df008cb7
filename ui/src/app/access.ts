// Whether the engine asks for its token, which it does when it listens beyond its own machine.
import { ApiError, messageOf, type Client } from '../api/client';
import { Observable } from '../live/observable';

export class AccessStore {
  readonly locked = new Observable(false);
  readonly error = new Observable<string | null>(null);
  private readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** Asked when the stream breaks: an event source does not tell why it was refused. */
  look = async (): Promise<void> => {
    try {
      await this.client.health();
      this.locked.set(false);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.locked.set(true);
    }
  };

  /** The engine answers with a cookie that scripts cannot read. */
  enter = async (token: string): Promise<void> => {
    try {
      await this.client.login(token);
      this.error.set(null);
      this.locked.set(false);
    } catch (error) {
      this.error.set(messageOf(error));
    }
  };
}
