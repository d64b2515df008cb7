// Keeps an event stream to the engine open. Reconnects after an error, or if no event arrives for a
// while. The pauses between failed attempts become longer.
import type { StreamEvent } from '../api/types';
import { at } from '../app/base';

/** The page reconnects if no event arrives for this time, in milliseconds. A working engine sends
 *  ten events a second. */
const SILENCE_MS = 4000;
/** Pauses before the attempts to reconnect, in milliseconds. The last pause repeats. */
const PAUSES_MS = [300, 700, 1500, 3000];

export interface StreamEvents {
  onEvent: (event: StreamEvent) => void;
  onLost: () => void;
}

export class Connection {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private readonly events: StreamEvents;

  constructor(events: StreamEvents) {
    this.events = events;
  }

  open(): void {
    this.close();
    const source = new EventSource(at('/api/stream?events=changes'));
    this.source = source;
    source.addEventListener('change', (message: MessageEvent<string>) => {
      let event: StreamEvent;
      try {
        event = JSON.parse(message.data) as StreamEvent;
      } catch {
        return; // Ignores a malformed event. If all events are malformed, the timeout applies.
      }
      this.failures = 0;
      this.watch();
      this.events.onEvent(event);
    });
    source.addEventListener('error', () => this.retry());
    this.watch();
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.retry(), SILENCE_MS);
  }

  private retry(): void {
    this.close();
    this.events.onLost();
    const pause = PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.open(), pause);
  }
}
