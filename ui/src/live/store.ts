// Stores all live data: the newest values, five minutes of history, notes, cues, bars, and the
// state of the connection to the engine.
import type { Client } from '../api/client';
import type { Health, Greeting, StreamEvent } from '../api/types';
import { BarClock } from './bars';
import { Connection } from './connection';
import { CueLog } from './cues';
import { History, pointsOf, type HistoryPoint } from './history';
import { NoteLog } from './notes';
import { Observable } from './observable';
import { afterPaint } from './paint';
import { Recent } from './recent';
import { applied, momentOf, UNKNOWN, type Moment } from './state';

/** Texts and numbers are updated at most once in this time, in milliseconds, because people cannot
 *  read faster updates. */
const TEXT_MS = 250;
/** How long a page stays hidden before it closes its event stream, in milliseconds. When the page
 *  becomes visible again, it reconnects and fetches the missing history. */
const HIDDEN_MS = 10_000;

export type Link = 'connecting' | 'live' | 'lost';

export class LiveStore {
  readonly history = new History();
  readonly notes = new NoteLog();
  readonly cues = new CueLog();
  readonly bars = new BarClock();
  readonly recent = new Recent();
  /** The newest values, for texts and numbers. The store updates them four times a second. */
  readonly text = new Observable<Moment | null>(null);
  readonly link = new Observable<Link>('connecting');
  readonly health = new Observable<Health | null>(null);
  /** Version tag of the engine's settings. The tag changes whenever a setting changes. */
  readonly configTag = new Observable<string | null>(null);
  /** Whether the engine was updated after the page was opened. The page is then out of date. */
  readonly updated = new Observable(false);
  /** A counter that increases each time the page has connected and fetched the history. Its
   *  subscribers then fetch the data that is not in the event stream. */
  readonly session = new Observable(0);

  private readonly client: Client;
  private readonly connection: Connection;
  /** The functions that paint the canvases. The value of each entry is a function that returns
   *  whether its canvas must be painted again. */
  private readonly painters = new Map<() => void, () => boolean>();
  private state = UNKNOWN;
  /** The last greeting from the engine, which identifies the running engine. */
  private engine: Greeting | null = null;
  private lastText = 0;
  private frame = 0;
  /** Whether the store waits for the first values of a new connection. */
  private fresh = true;
  /** The engine's clock minus `performance.now`, in milliseconds; null while the engine does not
   *  answer. */
  private clockOffset: number | null = null;
  private hideTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client) {
    this.client = client;
    this.connection = new Connection({ onEvent: (event) => this.receive(event), onLost: () => this.lose() });
  }

  start(): () => void {
    this.connection.open();
    document.addEventListener('visibilitychange', this.onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', this.onVisibility);
      this.connection.close();
    };
  }

  /** Reconnects at once, without the pause before the next attempt. */
  reopen(): void {
    this.connection.open();
  }

  /** Registers a function that paints a canvas. After each event with values, `paint` runs in the
   *  next animation frame if `due` returns true and the page is visible. Call the returned function
   *  to unregister `paint`. */
  onDue(due: () => boolean, paint: () => void): () => void {
    this.painters.set(paint, due);
    return () => this.painters.delete(paint);
  }

  /** Requests an animation frame only if a canvas must be painted, because even an empty frame
   *  costs CPU time. */
  private readonly askPainters = (): void => {
    if (this.frame !== 0 || document.hidden) return;
    const due = [...this.painters].flatMap(([paint, isDue]) => (isDue() ? [paint] : []));
    if (due.length === 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const paint of due) if (this.painters.has(paint)) paint();
    });
  };

  /** Returns the estimated time of the engine's clock, or null if it is unknown. While the engine
   *  does not answer, always returns the time of its last values. */
  now(): number | null {
    if (this.clockOffset === null) return null;
    return this.link.get() === 'live' ? performance.now() + this.clockOffset : (this.text.get()?.ts_ms ?? null);
  }

  receive(event: StreamEvent): void {
    this.state = applied(this.state, event);
    if (event.type === 'greeting') this.greet(event);
    else if (event.type === 'health') this.health.set(event);
    else if (event.type === 'lanes') this.history.scale(event.lanes);
    else if (event.type === 'config') this.configTag.set(event.tag);
    else if (event.type === 'bar') this.bars.note(event);
    else if (event.type === 'cues') this.cues.add(event.cues);
    else if (event.type === 'notes') this.notes.add(event.notes);
    else if (event.type === 'values' || event.type === 'controls') this.show(event.type === 'values');
  }

  /** Drops the history and the cues, and fetches the history again. Called after the scope has
   *  changed. */
  dropHistory(): void {
    this.history.clear();
    this.cues.clear();
    this.recent.clear();
    void this.catchUp(null);
  }

  private greet(greeting: Greeting): void {
    const before = this.engine;
    this.engine = greeting;
    // The connection is new, so the page may have missed events before this greeting.
    this.fresh = true;
    if (before === null || before.started_ts_ms === greeting.started_ts_ms) return;
    this.notes.restart();
    this.cues.restart();
    if (before.version !== greeting.version) this.updated.set(true);
  }

  /** Shows the current state after an event. If only the controls have changed, updates the texts
   *  at once. New values reach the texts at most four times a second. */
  private show(isNew: boolean): void {
    const moment = momentOf(this.state);
    if (moment === null) return;
    if (isNew) this.add(moment);
    else this.text.set(moment);
  }

  private add(moment: Moment): void {
    const known = this.history.lastTime;
    this.follow(moment.ts_ms);
    this.recent.push(moment);
    this.history.push(pointOf(moment));
    const now = performance.now();
    if (this.fresh || now - this.lastText >= TEXT_MS - 20) {
      this.lastText = now;
      this.text.set(moment);
    }
    if (this.fresh) {
      this.fresh = false;
      this.link.set('live');
      void this.catchUp(known);
    }
    this.askPainters();
  }

  /** Waits until the browser has painted the sentence, and then fetches the history: only the part
   *  after the time `known`, or the whole history if `known` is null. */
  private async catchUp(known: number | null): Promise<void> {
    try {
      await afterPaint();
      const past = await this.client.history(known);
      this.history.load(pointsOf(past));
      this.notes.load(past.notes);
      this.askPainters();
    } catch {
      // Ignore errors: the stream still works, so the charts show the values from now on.
    }
    this.session.set(this.session.get() + 1);
  }

  private lose(): void {
    this.fresh = true;
    this.recent.clear();
    this.clockOffset = null;
    this.link.set('lost');
  }

  /** Updates `clockOffset` with the time `ts` of an event. Events can arrive late but never early,
   *  so the largest offset is the most accurate. The offset decreases slowly, because the clocks
   *  of the engine and the browser may drift. */
  private follow(ts: number): void {
    const offset = ts - performance.now();
    const known = this.clockOffset;
    if (known === null || Math.abs(offset - known) > 2000) this.clockOffset = offset;
    else this.clockOffset = offset > known ? offset : known + (offset - known) * 0.02;
  }

  private readonly onVisibility = (): void => {
    clearTimeout(this.hideTimer);
    if (document.hidden) {
      this.hideTimer = setTimeout(() => {
        this.connection.close();
        this.fresh = true;
      }, HIDDEN_MS);
    } else if (this.fresh) this.connection.open();
    else this.askPainters();
  };
}

function pointOf({ ts_ms, signals }: Moment): HistoryPoint {
  const point: HistoryPoint = { ts_ms, rates: {} };
  for (const [name, signal] of Object.entries(signals)) {
    point.rates[name] = signal.available ? signal.rate : null;
  }
  return point;
}
