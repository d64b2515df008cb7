// The current sentence. It is renewed every two seconds, so that it can be read.
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';
import type { LiveStore } from '../live/store';
import { tell, type Told } from './sentence';

/** Time between two sentences. */
const RENEW_MS = 2000;
/** Share of the baseline that must be learnt before anything is compared with it. Less of it mostly
 *  describes other machines. */
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
