// Writes the texts around the sentence: the badge, the machine, the source, and why there is no
// sound.
import type { Controls, Health, SourceKind } from '../api/types';
import { timeOfDay } from '../format/units';

/** A text that says why there is no sound. */
export interface SoundState {
  text: string;
  /** `bad` for errors. */
  tone: 'dim' | 'bad';
  /** Whether the sound returns when the user unmutes khor. */
  ends?: true;
}

/** The badges for sources that do not report the current activity of this machine. */
const SOURCE_BADGES: Partial<Record<SourceKind, string>> = { demo: 'Demo', capture: 'Capture', site: 'Site' };

/** A label in front of the sentence, for example "Demo". It names the source or the scope of the
 *  data, and is only shown if the data is not the current activity of the whole machine. */
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

/** Returns why the scope, the selected part of the machine, has no data; null if it has data. */
export function scopeTrouble(health: Health | null): string | null {
  return health === null || health.scope.ok ? null : `${health.scope.error ?? 'the scope has no data'}.`;
}

/** Says why khor plays no sound although the sound device works, and until when; returns null if
 *  khor plays sound. */
function silenceState({ muted, silence, master_gain }: Controls): SoundState | null {
  const until = silence?.until ?? null;
  const end = until === null ? '' : ` until ${timeOfDay(until)}`;
  if (silence?.reason === 'snoozed') return { text: `Snoozed${end}.`, tone: 'dim', ends: true };
  if (silence?.reason === 'quiet_hours') return { text: `Quiet hours${end}.`, tone: 'dim', ends: true };
  if (muted) return { text: 'Muted.', tone: 'dim', ends: true };
  return master_gain === 0 ? { text: 'The volume is 0.', tone: 'dim' } : null;
}

/** Returns why there is no sound, or null while sound plays. */
export function soundState(health: Health | null, controls: Controls | null): SoundState | null {
  if (health !== null && !health.audio.enabled) return { text: 'Sound is off.', tone: 'dim' };
  if (health !== null && !health.audio.ok) return { text: `No sound: ${(health.audio.error ?? 'reason unknown').replace(/\.$/, '')}.`, tone: 'bad' };
  return controls === null ? null : silenceState(controls);
}

/** Describes the source of the data. */
export function sourceText({ source }: Pick<Health, 'source'>): string {
  const interval = source.interval_ms === null ? '' : ` every ${source.interval_ms} ms`;
  switch (source.kind) {
    case 'collector':
      return `data from the collector${interval}`;
    case 'proc':
      return `data from /proc${interval}, without the collector`;
    case 'demo':
      return `synthetic demo data${interval}, not this machine’s data`;
    case 'capture':
      return `a ${source.detail === '' ? 'capture, not this machine’s current data' : source.detail}${interval}`;
    case 'site':
      return `many machines: ${source.detail === '' ? 'a site' : source.detail}`;
    case null:
      return `no source yet${source.error === null ? '' : `: ${source.error}`}`;
  }
}

/** Says how many of the source's probes or counters work; returns null if the source has no probes
 *  and no counters. */
export function countedText({ probes, source }: Pick<Health, 'probes' | 'source'>): string | null {
  const live = probes.filter((probe) => probe.available).length;
  if (probes.length === 0) return null;
  if (source.kind === 'collector') return `${live} of ${probes.length} probes work`;
  return source.kind === 'proc' ? `${live} of ${probes.length} counters in /proc work` : null;
}

/** Writes the line below the sentence: machine, kernel, probes and source. */
export function statusLine(health: Health): string {
  const counted = countedText(health);
  const probes = counted === null ? [] : [counted];
  return [health.host.name, `kernel ${health.host.kernel}`, ...probes, sourceText(health)].join(' · ');
}
