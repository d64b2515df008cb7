// The words under the sentence: which machine, heard how, and whether anything can be heard at all.
import type { Health } from '../api/types';

export interface SoundState {
  text: string;
  tone: 'dim' | 'bad';
}

/** Why nothing is heard of the part of this machine that is to be heard. */
export function scopeTrouble(health: Health | null): string | null {
  return health === null || health.scope.ok ? null : `${health.scope.error ?? 'nothing is heard'}.`;
}

/** Null while sound plays as it should. */
export function soundState(health: Health | null, muted: boolean): SoundState | null {
  if (health !== null && !health.audio.enabled) return { text: 'Sound is off.', tone: 'dim' };
  if (health !== null && !health.audio.ok) return { text: `No sound: ${(health.audio.error ?? 'the reason is not known').replace(/\.$/, '')}.`, tone: 'bad' };
  return muted ? { text: 'Muted.', tone: 'dim' } : null;
}

export function sourceText({ source }: Pick<Health, 'source'>): string {
  const interval = source.interval_ms === null ? '' : `, every ${source.interval_ms} ms`;
  switch (source.kind) {
    case 'collector':
      return `heard through the collector${interval}`;
    case 'proc':
      return `heard through /proc, without the collector${interval}`;
    case 'demo':
      return `synthetic demo figures${interval}, not this machine`;
    case 'capture':
      return `a ${source.detail ?? 'capture, not this machine now'}${interval}`;
    case 'site':
      return `many machines: ${source.detail ?? 'a site'}`;
    case null:
      return `no source yet${source.error === null ? '' : `: ${source.error}`}`;
  }
}

export function statusLine(health: Health): string {
  const live = health.probes.filter((probe) => probe.available).length;
  const probes = health.probes.length === 0 ? [] : [`${live} of ${health.probes.length} probes live`];
  return [health.host.name, `kernel ${health.host.kernel}`, ...probes, sourceText(health)].join(' · ');
}
