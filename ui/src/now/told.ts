// Stores the current sentence. It changes at most every two seconds, so that people can read it.
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';
import type { LiveStore } from '../live/store';
import { tell, type Told } from './sentence';

/** Minimum time between two sentences. */
const RENEW_MS = 2000;
/** Share of the baseline that must be learnt before the sentence compares rates with it. Below
 *  this, the baseline mostly describes other machines. */
const LEARNT = 0.5;

export class SentenceStore {
  /** Null until the first figures arrive. */
  readonly told = new Observable<Told | null>(null);
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
    const known = (this.health.state.get()?.baseline.learnt ?? 0) >= LEARNT;
    this.told.set(tell(rates, this.told.get()?.keys, known ? recent.deviations() : {}, recent.news()));
  };
}
