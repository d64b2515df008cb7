// Starts and stops recordings, and lists the recorded files. The state of the current recording is
// part of the engine's health.
import { messageOf, type Client } from '../api/client';
import type { RecordingFile } from '../api/types';
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';

const POLL_MS = 1000;

export class RecorderStore {
  /** Why the last attempt to start or stop a recording failed; null if it succeeded. */
  readonly error = new Observable<string | null>(null);
  /** The recorded files, oldest first; null until the engine has answered. */
  readonly files = new Observable<readonly RecordingFile[] | null>(null);
  private readonly client: Client;
  private readonly health: HealthStore;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(client: Client, health: HealthStore) {
    this.client = client;
    this.health = health;
  }

  start = (format: string): Promise<void> => this.request(() => this.client.startRecording(format));

  stop = (): Promise<void> => this.request(this.client.stopRecording);

  list = async (): Promise<void> => {
    try {
      this.files.set((await this.client.recordings()).recordings);
    } catch {
      // Ignore errors: the event stream reports a lost engine. The old list stays visible.
    }
  };

  private async request(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
      this.error.set(null);
    } catch (error) {
      this.error.set(messageOf(error));
    }
    await this.follow();
  }

  /** During a recording, requests the engine's health once a second. It contains the length of the
   *  recording, which the page shows. */
  private async follow(): Promise<void> {
    clearInterval(this.timer);
    await this.health.refresh();
    if (this.health.state.get()?.recording.recording !== true) return;
    this.timer = setInterval(() => {
      void this.health.refresh().then(() => {
        if (this.health.state.get()?.recording.recording !== true) clearInterval(this.timer);
      });
    }, POLL_MS);
  }
}
