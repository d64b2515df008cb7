// Starts and ends recordings; what is being recorded is part of the engine's health.
import { messageOf, type Client } from '../api/client';
import type { RecordingFile } from '../api/types';
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';

const POLL_MS = 1000;

export class RecorderStore {
  /** Why the last start or stop was refused. */
  readonly error = new Observable<string | null>(null);
  /** What was recorded, oldest first; null until it is known. */
  readonly files = new Observable<readonly RecordingFile[] | null>(null);
  private readonly client: Client;
  private readonly health: HealthStore;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(client: Client, health: HealthStore) {
    this.client = client;
    this.health = health;
  }

  start = (format: string): Promise<void> => this.tell(() => this.client.startRecording(format));

  stop = (): Promise<void> => this.tell(this.client.stopRecording);

  list = async (): Promise<void> => {
    try {
      this.files.set((await this.client.recordings()).recordings);
    } catch {
      // The list stays as it was; the stream says when the engine is gone.
    }
  };

  private async tell(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
      this.error.set(null);
    } catch (error) {
      this.error.set(messageOf(error));
    }
    await this.follow();
  }

  /** Looks every second for as long as it records: its length is shown. */
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
