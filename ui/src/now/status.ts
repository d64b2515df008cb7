// The texts around the sentence: badge, machine, source, and why there is no sound.
import type { Controls, Health, SourceKind } from '../api/types';
import { timeOfDay } from '../format/units';

export interface SoundState {
  text: string;
  tone: 'dim' | 'bad';
  /** Unmuting ends this state. */
  ends?: true;
}

/** Badges of the sources that are not this machine's current activity. */
const SOURCE_BADGES: Partial<Record<SourceKind, string>> = { demo: 'Demo', capture: 'Capture', site: 'Site' };

/** The badge before a sentence that does not describe the current activity of the whole machine. */
export interface Badge {
  text: string;
  className: string;
}

export function badgeOf(health: Health | null): Badge | null {
  if (health === null) return null;
  const { source, scope } = health;
  const badge = source.kind === null ? undefined : SOURCE_BADGES[source.kind];
  if (badge !== undefined) return { text: badge, className: 'demo' };
  return scope.is_machine ? null : { text: scope.whose, className: 'demo part' };
}

/** Why the selected part of this machine has no sound; null if it has. */
export function scopeTrouble(health: Health | null): string | null {
  return health === null || health.scope.ok ? null : `${health.scope.error ?? 'nothing is heard'}.`;
}

/** Why a working sound device is silent, and until when. */
function silenceState({ muted, silence, master_gain }: Controls): SoundState | null {
  const until = silence?.until ?? null;
  const end = until === null ? '' : ` until ${timeOfDay(until)}`;
  if (silence?.reason === 'snoozed') return { text: `Snoozed${end}.`, tone: 'dim', ends: true };
  if (silence?.reason === 'quiet_hours') return { text: `Quiet hours${end}.`, tone: 'dim', ends: true };
  if (muted) return { text: 'Muted.', tone: 'dim', ends: true };
  return master_gain === 0 ? { text: 'The volume is 0.', tone: 'dim' } : null;
}

/** Why there is no sound; null while sound plays. */
export function soundState(health: Health | null, controls: Controls | null): SoundState | null {
  if (health !== null && !health.audio.enabled) return { text: 'Sound is off.', tone: 'dim' };
  if (health !== null && !health.audio.ok) return { text: `No sound: ${(health.audio.error ?? 'the reason is not known').replace(/\.$/, '')}.`, tone: 'bad' };
  return controls === null ? null : silenceState(controls);
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
      return `a ${source.detail === '' ? 'capture, not this machine now' : source.detail}${interval}`;
    case 'site':
      return `many machines: ${source.detail === '' ? 'a site' : source.detail}`;
    case null:
      return `no source yet${source.error === null ? '' : `: ${source.error}`}`;
  }
}

/** How many probes or counters work. Only the collector has probes; `/proc` has counters. */
export function countedText({ probes, source }: Pick<Health, 'probes' | 'source'>): string | null {
  const live = probes.filter((probe) => probe.available).length;
  if (probes.length === 0) return null;
  if (source.kind === 'collector') return `${live} of ${probes.length} probes live`;
  return source.kind === 'proc' ? `${live} of ${probes.length} counters in /proc` : null;
}

export function statusLine(health: Health): string {
  const counted = countedText(health);
  const probes = counted === null ? [] : [counted];
  return [health.host.name, `kernel ${health.host.kernel}`, ...probes, sourceText(health)].join(' · ');
}
