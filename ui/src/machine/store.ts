// Stores the state of the Machine view: the results of `khor doctor`, and the units that can be the
// scope. Also freezes, resumes and resets the baseline.
import { isUnsupported, messageOf, type Client } from '../api/client';
import type { DoctorCheck } from '../api/types';
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';

export type DoctorState = { kind: 'unknown' } | { kind: 'unsupported' } | { kind: 'found'; checks: readonly DoctorCheck[] } | { kind: 'failed'; error: string };

export class MachineStore {
  readonly doctor = new Observable<DoctorState>({ kind: 'unknown' });
  /** Error of the last command that freezes, resumes or resets the baseline; null if the command
   *  succeeded. */
  readonly baselineError = new Observable<string | null>(null);
  /** The systemd units of this machine, which the page suggests as scopes. */
  readonly units = new Observable<readonly string[]>([]);
  private readonly client: Client;
  private readonly health: HealthStore;

  constructor(client: Client, health: HealthStore) {
    this.client = client;
    this.health = health;
  }

  runDoctor = async (): Promise<void> => {
    try {
      this.doctor.set({ kind: 'found', checks: (await this.client.doctor()).checks });
    } catch (error) {
      this.doctor.set(isUnsupported(error) ? { kind: 'unsupported' } : { kind: 'failed', error: messageOf(error) });
    }
  };

  fetchUnits = async (): Promise<void> => {
    const [found] = await Promise.allSettled([this.client.units()]);
    if (found.status === 'fulfilled') this.units.set(found.value.units);
  };

  /** Freezes, resumes or resets the baseline. */
  baseline = async (what: 'freeze' | 'unfreeze' | 'forget'): Promise<void> => {
    try {
      await this.client.baseline(what);
      this.baselineError.set(null);
    } catch (error) {
      this.baselineError.set(messageOf(error));
    }
    await this.health.refresh();
  };
}
