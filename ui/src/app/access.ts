// Whether the engine lets this browser in, and the login with the token.
import { ApiError, messageOf, type Client } from '../api/client';
import { Observable } from '../live/observable';

/** Why the engine does not let the browser in. */
export interface Refusal {
  /** The engine's reason. */
  reason: string;
  /** Whether the token would help. */
  asksToken: boolean;
}

export class AccessStore {
  readonly refusal = new Observable<Refusal | null>(null);
  readonly error = new Observable<string | null>(null);
  private readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** Requests the health after the stream broke, because an event source does not report the
   *  status. */
  look = async (): Promise<void> => {
    try {
      await this.client.health();
      this.refusal.set(null);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.refusal.set({ reason: error.message, asksToken: error.asksToken });
      }
    }
  };

  /** The engine answers with a cookie that scripts cannot read. */
  enter = async (token: string): Promise<void> => {
    try {
      await this.client.login(token);
      this.error.set(null);
      this.refusal.set(null);
    } catch (error) {
      this.error.set(messageOf(error));
    }
  };
}
