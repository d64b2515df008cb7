// Stores the current sentence. It changes at most every two seconds, so that people can read it.
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';
import type { LiveStore } from '../live/store';
import { sentenceOf, type Sentence } from './sentence';

/** The sentence changes at most once in this time, in milliseconds. */
const RENEW_MS = 2000;
/** The sentence compares rates with the baseline only if at least this share of the baseline is
 *  learned. With a smaller share, most of the baseline is a default: the usual activity of a small
 *  idle machine. */
const LEARNED = 0.5;

export class SentenceStore {
  /** The current sentence; null until the first rates arrive. */
  readonly current = new Observable<Sentence | null>(null);
  private renewedAt = -Infinity;

  constructor(
    private readonly live: LiveStore,
    private readonly health: HealthStore,
  ) {}

  start(): () => void {
    const stops = [this.live.text.subscribe(this.renewIfDue), this.live.session.subscribe(this.renew)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  private readonly renewIfDue = (): void => {
    if (performance.now() - this.renewedAt >= RENEW_MS) this.renew();
  };

  private readonly renew = (): void => {
    const { recent } = this.live;
    const rates = recent.means();
    if (Object.keys(rates).length === 0) return;
    this.renewedAt = performance.now();
    const known = (this.health.state.get()?.baseline.learnt ?? 0) >= LEARNED;
    this.current.set(sentenceOf(rates, this.current.get()?.keys, known ? recent.deviations() : {}, recent.zeroBaselines()));
  };
}
