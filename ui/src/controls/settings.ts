// The settings that this page can change, by path. Converts them from and to the engine's config.
import type { Config, Controls } from '../api/types';

export interface Settings {
  'music.bpm': number;
  'music.key_midi': number;
  'music.scale': string;
  'music.preset': string;
  'music.density': number;
  'music.smoothing': number;
  'audio.master_gain': number;
  'audio.device': string;
  'audio.loudness_lufs': number;
  'features.audio': boolean;
  'features.midi': boolean;
  'features.osc': boolean;
  'midi.port': string;
  'midi.channel': number;
  'midi.clock': boolean;
  'osc.host': string;
  'osc.port': number;
  'osc.targets': readonly string[];
  'osc.receive.enabled': boolean;
  'osc.receive.port': number;
  'bpf.cgroup': string;
  'bpf.tgid_allow': readonly number[];
  'bpf.tgid_deny': readonly number[];
  'quiet.enabled': boolean;
  'quiet.from': string;
  'quiet.to': string;
  'desktop.bus': boolean;
  'desktop.mpris': boolean;
  'desktop.notifications': boolean;
  /** The only host of the site that plays; null if all hosts play. */
  'site.host': string | null;
  /** How the hosts of the site play: all as one, by section, or one after another. */
  'site.mode': string;
  muted: boolean;
}

export type Path = keyof Settings;

export function fromConfig({ bpf, music, audio, features, midi, osc, quiet, desktop, site }: Config): Omit<Settings, 'muted'> {
  return {
    'music.bpm': music.bpm,
    'music.key_midi': music.key_midi,
    'music.scale': music.scale,
    'music.preset': music.preset,
    'music.density': music.density,
    'music.smoothing': music.smoothing,
    'audio.master_gain': audio.master_gain,
    'audio.device': audio.device,
    'audio.loudness_lufs': audio.loudness_lufs,
    'features.audio': features.audio,
    'features.midi': features.midi,
    'features.osc': features.osc,
    'midi.port': midi.port,
    'midi.channel': midi.channel,
    'midi.clock': midi.clock,
    'osc.host': osc.host,
    'osc.port': osc.port,
    'osc.targets': osc.targets,
    'osc.receive.enabled': osc.receive.enabled,
    'osc.receive.port': osc.receive.port,
    'bpf.cgroup': bpf.cgroup,
    'bpf.tgid_allow': bpf.tgid_allow,
    'bpf.tgid_deny': bpf.tgid_deny,
    'quiet.enabled': quiet.enabled,
    'quiet.from': quiet.from,
    'quiet.to': quiet.to,
    'desktop.bus': desktop.bus,
    'desktop.mpris': desktop.mpris,
    'desktop.notifications': desktop.notifications,
    'site.host': site.host,
    'site.mode': site.mode,
  };
}

/** Whether the user has muted khor. `controls.muted` is also true during a snooze and in quiet
 *  hours. */
export function mutedByHand({ silence }: Controls): boolean {
  return silence?.reason === 'muted';
}

export function fromControls(controls: Controls): Partial<Settings> {
  return {
    'music.bpm': controls.bpm,
    'music.key_midi': controls.key_midi,
    'music.scale': controls.scale,
    'music.preset': controls.preset,
    'music.density': controls.density,
    'music.smoothing': controls.smoothing,
    'audio.master_gain': controls.master_gain,
    muted: mutedByHand(controls),
  };
}

/** Returns the patch for one setting: `osc.receive.port` and 9001 become `{osc: {receive: {port:
 *  9001}}}`. */
export function nested(path: Path, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

export function equal(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((it, i) => it === b[i]));
}
