// What the Machine view asks for: doctor's findings, which further addresses there are, and the baseline's commands.
import { isAbsent, messageOf, type Client } from '../api/client';
import type { DoctorCheck } from '../api/types';
import type { HealthStore } from '../health/store';
import { Observable } from '../live/observable';

export type DoctorState = { kind: 'unknown' } | { kind: 'absent' } | { kind: 'found'; checks: readonly DoctorCheck[] } | { kind: 'failed'; error: string };

export class MachineStore {
  readonly doctor = new Observable<DoctorState>({ kind: 'unknown' });
  /** Why the last command to the baseline was refused. */
  readonly baselineError = new Observable<string | null>(null);
  /** Units that can be heard alone. */
  readonly units = new Observable<readonly string[]>([]);
  private readonly client: Client;
  private readonly health: HealthStore;

  constructor(client: Client, health: HealthStore) {
    this.client = client;
    this.health = health;
  }

  examine = async (): Promise<void> => {
    try {
      this.doctor.set({ kind: 'found', checks: (await this.client.doctor()).checks });
    } catch (error) {
      this.doctor.set(isAbsent(error) ? { kind: 'absent' } : { kind: 'failed', error: messageOf(error) });
    }
  };

  lookForUnits = async (): Promise<void> => {
    const [found] = await Promise.allSettled([this.client.units()]);
    if (found.status === 'fulfilled') this.units.set(found.value.units);
  };

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
