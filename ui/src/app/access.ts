// Stores whether the engine rejects this browser, and logs in with the engine's token.
import { ApiError, messageOf, type Client } from '../api/client';
import { Observable } from '../live/observable';

/** Describes why the engine rejects this browser, and whether a login is possible. */
export interface Refusal {
  /** The engine's error message. */
  reason: string;
  /** Whether the user can log in with the engine's token. */
  asksToken: boolean;
}

export class AccessStore {
  /** Why the engine rejects this browser; null while the engine accepts it. */
  readonly refusal = new Observable<Refusal | null>(null);
  /** Why the last login failed; null if there was no failure. */
  readonly error = new Observable<string | null>(null);
  private readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** Checks whether the engine rejects this browser. Call this when the event stream breaks,
   *  because an EventSource does not report the HTTP status of an error. */
  check = async (): Promise<void> => {
    try {
      await this.client.health();
      this.refusal.set(null);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.refusal.set({ reason: error.message, asksToken: error.asksToken });
      }
    }
  };

  /** Logs in with the token. The engine answers with a session cookie that scripts cannot read. */
  login = async (token: string): Promise<void> => {
    try {
      await this.client.login(token);
      this.error.set(null);
      this.refusal.set(null);
    } catch (error) {
      this.error.set(messageOf(error));
    }
  };
}
