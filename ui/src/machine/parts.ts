// Lists the parts of khor with their states. A part that has a problem also has an error and a fix.
import type { Health } from '../api/types';
import { countedText } from '../now/status';

export type PartState = 'ok' | 'disabled' | 'problem' | 'fallback' | 'demo' | 'capture';

export interface PartRow {
  name: string;
  state: PartState;
  /** The error of a part that has a problem, or details of a part that works. */
  detail: string;
  fix: string | null;
}

/** The state of a part that the user can switch on and off. */
interface Switchable {
  enabled: boolean;
  ok: boolean;
  error: string | null;
  fix?: string | null;
}

function row(name: string, part: Switchable, detail: string): PartRow {
  if (!part.enabled) return { name, state: 'disabled', detail: 'switched off', fix: null };
  if (part.ok) return { name, state: 'ok', detail, fix: null };
  return { name, state: 'problem', detail: part.error ?? 'not working, reason unknown', fix: part.fix ?? null };
}

function sourceRow({ source }: Health): PartRow {
  const detail = source.detail;
  switch (source.kind) {
    case 'collector':
      return { name: 'Source', state: source.ok ? 'ok' : 'problem', detail: source.error ?? detail, fix: source.fix ?? null };
    case 'proc':
      return { name: 'Source', state: 'fallback', detail: `/proc only: ${source.error ?? detail}`, fix: source.fix ?? null };
    case 'demo':
      return { name: 'Source', state: 'demo', detail: 'synthetic data, not the data of this machine', fix: source.fix ?? null };
    case 'capture':
      return { name: 'Source', state: 'capture', detail, fix: source.fix ?? null };
    case 'site':
      return { name: 'Source', state: source.error === null ? 'ok' : 'problem', detail: source.error ?? detail, fix: source.fix ?? null };
    case null:
      return { name: 'Source', state: 'problem', detail: source.error ?? 'no data yet', fix: source.fix ?? null };
  }
}

function scopeRow({ scope, source }: Health): PartRow {
  if (source.kind === 'site' && scope.is_machine) return { name: 'Scope', state: 'ok', detail: 'all hosts of the site', fix: null };
  return scope.ok ? { name: 'Scope', state: 'ok', detail: scope.whose, fix: null } : { name: 'Scope', state: 'problem', detail: scope.error ?? scope.whose, fix: scope.fix };
}

/** Describes the sound output: device, backend and sample rate. The device is empty if khor uses
 *  the system's default. The sample rate is 0 until the stream is open. */
function audioDetail({ audio }: Health): string {
  const rate = audio.sample_rate_hz ? `${audio.sample_rate_hz / 1000} kHz` : null;
  const known = [audio.device, audio.backend, rate].filter((text) => text !== null && text !== '');
  return known.length === 0 ? 'default device' : known.join(', ');
}

/** Lists the targets of OSC. While OSC is off, only the configured host and port are known. */
function oscDetail({ osc }: Health): string {
  return osc.targets.map(({ target }) => target).join(', ') || `${osc.host}:${osc.port}`;
}

/** Lists the desktop features that are on. The names are the same as in the Outputs view. */
function desktopDetail({ desktop }: Health): string {
  const parts: [string, Switchable][] = [['media keys', desktop.mpris], ['notifications', desktop.notifications], ['D-Bus', desktop.bus]];
  return parts.flatMap(([words, part]) => (part.enabled ? [words] : [])).join(', ');
}

function presetsRow({ presets }: Health): PartRow {
  return { name: 'Presets', state: presets.ok ? 'ok' : 'problem', detail: presets.ok ? presets.folder : presets.problems.join('; '), fix: null };
}

/** Describes the events that the collector's eBPF programs missed. Returns no row if they missed
 *  none. */
function missedRows({ missed }: Health): PartRow[] {
  const reason = missed.reason;
  return reason === null ? [] : [{ name: 'Missed events', state: 'ok', detail: reason, fix: null }];
}

/** Returns a row for the time zone only if the time zone is invalid. Quiet hours and displayed
 *  times are then in UTC. */
function timeRows({ time }: Health): PartRow[] {
  return time.ok ? [] : [{ name: 'Time zone', state: 'problem', detail: time.error ?? time.zone, fix: time.fix }];
}

export function partRows(health: Health): PartRow[] {
  const { midi, osc, config } = health;
  const warnings = config.warnings.join('; ');
  return [
    sourceRow(health),
    scopeRow(health),
    row('Kernel probes', health.bpf, countedText(health) ?? ''),
    ...missedRows(health),
    row('Sound', health.audio, audioDetail(health)),
    row('MIDI', midi, `port ${midi.port}, channel ${midi.channel}`),
    row('OSC', osc, oscDetail(health)),
    row('Desktop', health.desktop, desktopDetail(health)),
    presetsRow(health),
    {
      name: 'Config',
      state: config.ok && warnings === '' ? 'ok' : 'problem',
      detail: config.error ?? (warnings === '' ? health.config_path : warnings),
      fix: null,
    },
    ...timeRows(health),
  ];
}
