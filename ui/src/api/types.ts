// The shapes of docs/api.md that this page reads; absent values are null, never 0.

export type Family = 'process' | 'network' | 'disk' | 'memory' | 'kernel';
export type Unit = '1/s' | 'B/s' | 's' | 'ratio';

export interface Signal {
  /** How loud the signal is, 0..1; null when unknown. */
  level: number | null;
  /** Octaves above what is ordinary on this machine; null when unknown. */
  deviation: number | null;
  /** What is ordinary on this machine, in `unit`; null when unknown. */
  baseline: number | null;
  /** In `unit`; null when unknown. */
  rate: number | null;
  unit: Unit;
  label: string;
  family: Family;
  available: boolean;
  reason: string | null;
}

export interface Note {
  seq: number;
  ts_ms: number;
  midi: number;
  /** 0..1 */
  velocity: number;
  duration_s: number;
  role: string;
  layer: string;
  channel: number;
  signal: string | null;
}

export type CueKind = 'oom' | 'crash' | 'blkerr' | 'retx' | 'exec' | 'lost' | 'found';

/** A one-off event of the kernel. */
export interface Cue {
  seq: number;
  ts_ms: number;
  kind: CueKind;
  /** Of a site; absent or null is this machine. */
  host?: string | null;
  pid: number | null;
  /** Name of the program. */
  comm: string | null;
  /** A crash's signal number, the segments of a burst. */
  detail: number | null;
}

export interface Controls {
  bpm: number;
  key_midi: number;
  density: number;
  smoothing: number;
  preset: string;
  scale: string;
  master_gain: number;
  muted: boolean;
  /** Why the loudspeaker is silent; null while it sounds. Older engines do not send it. */
  silence?: Silence | null;
  /** When a snooze ends; null when there is none, absent where the engine knows no snooze. */
  snoozed_until_ts_ms?: number | null;
  /** When the quiet hours end that mute now; null when none do. */
  quiet_until_ts_ms?: number | null;
}

export interface Silence {
  reason: 'muted' | 'snoozed' | 'quiet_hours';
  /** When the silence ends by itself; null if it does not. */
  until: number | null;
}

export interface Music {
  bar: number;
  /** Sixteenth within the bar, 0..15. */
  step: number;
  step_ms: number;
}

export interface Rates {
  blk_r_kbs: number | null;
  blk_w_kbs: number | null;
}

/** One event of the stream. */
export interface Metrics {
  ts_ms: number;
  rates: Rates;
  controls: Controls;
  signals: Record<string, Signal>;
  notes: Note[];
  cues: Cue[];
  music: Music;
}

export interface HistoryPoint {
  ts_ms: number;
  rates: Record<string, number | null>;
}

export interface MetricsWithHistory extends Metrics {
  history: HistoryPoint[];
}

export type SourceKind = 'collector' | 'proc' | 'demo' | 'capture' | 'site';

interface Trouble {
  ok: boolean;
  error: string | null;
  fix?: string | null;
}

export interface Source extends Trouble {
  /** Null while nothing delivers. */
  kind: SourceKind | null;
  interval_ms: number | null;
  detail: string | null;
}

/** Whose activity is heard, or is to be. */
export interface Scope extends Trouble {
  whose: string;
  is_machine: boolean;
  cgroups: string[];
  fix: string | null;
}

/** The host of a site that is heard as if it were the machine. */
export interface Alone extends Trouble {
  host: string;
}

export interface FleetHost {
  name: string;
  section: string | null;
  /** The site within the site that told of it. */
  via: string | null;
  state: 'live' | 'silent';
  /** Octaves above its own ordinary, by the signal that stands out most; null where nothing can be heard of it. */
  deviation: number | null;
  signal: string | null;
  seen_ms_ago: number;
  /** Share known, 0..1. */
  learnt: number;
  source: string;
  version: string;
  /** The engine's clock less the host's. */
  clock_behind_ms: number;
  clock_off: boolean;
  missed_frames: number;
  late_frames: number;
  /** Messages under its name that were not taken, for whatever reason. */
  refused_messages: number;
  /** Why the last of them was not. */
  refusal: string | null;
  used_twice: boolean;
}

/** A site within the site, told of by relays that aggregate. */
export interface SubSite {
  name: string;
  state: 'live' | 'silent';
  live: number;
  silent: number;
  /** How far off what all of it does may be. */
  relative_error: number;
  seen_ms_ago: number;
}

/** Who of a site plays. */
export type SiteMode = 'ensemble' | 'sections' | 'roll_call';

/** The hosts of a site. */
export interface Fleet extends Trouble {
  /** Null without a site. */
  site: string | null;
  mode: SiteMode;
  /** Why it is not quite what the mode asks for. */
  remark: string | null;
  /** The one or two hosts that have the voices, the furthest first. */
  soloists: string[];
  alone: Alone | null;
  /** Of sites within the site only those that stand out. */
  hosts: FleetHost[];
  sites: SubSite[];
  /** Hosts that send and that have stopped, those of sites within the site included. */
  live: number;
  silent: number;
  versions: Record<string, number>;
  refused: Record<RefusedWhy, number> & { last: string | null };
}

export type RefusedWhy = 'oversized' | 'foreign' | 'version' | 'malformed' | 'misdirected' | 'late' | 'duplicate' | 'crowded' | 'flooded' | 'nested';

export interface Probe {
  name: string;
  available: boolean;
  reason: string | null;
}

export interface AudioHealth extends Trouble {
  enabled: boolean;
  backend: string | null;
  device: string | null;
  sample_rate_hz: number | null;
  muted: boolean;
  voices: number | null;
  voice_limit: number;
  restarts: number;
  /** `null`: this backend doesn't tell. */
  xruns: number | null;
  /** `null`: nothing plays. */
  latency_ms: number | null;
}

export interface OscTarget {
  target: string;
  ok: boolean;
  error: string | null;
}

/** Being steered by OSC. */
export interface OscReceive extends Trouble {
  enabled: boolean;
  port: number;
  messages: number;
  refused: number;
  last_refusal: string | null;
}

/** khor on the session bus: all of it, and part by part. */
export interface DesktopHealth extends Trouble {
  enabled: boolean;
  bus: Trouble & { enabled: boolean };
  mpris: Trouble & { enabled: boolean };
  notifications: Trouble & { enabled: boolean };
}

export interface Baseline {
  /** Share known, 0..1. */
  learnt: number;
  learning: boolean;
  frozen: boolean;
}

export interface Recording {
  recording: boolean;
  /** Path on the engine's machine. */
  file: string | null;
  seconds: number;
  /** Why it ended by itself. */
  error: string | null;
}

export interface Health {
  ts_ms: number;
  version: string;
  config_path: string;
  host: { name: string; kernel: string; cpus: number };
  source: Source;
  scope: Scope;
  probes: Probe[];
  /** Events that the collector's programs missed; older engines do not report them. */
  missed?: { events: number | null; reason: string | null };
  audio: AudioHealth;
  recording: Recording;
  listen: { listeners: number; at_most: number };
  baseline: Baseline;
  presets: { ok: boolean; folder: string; problems: string[] };
  bpf: Trouble & { enabled: boolean };
  midi: Trouble & { enabled: boolean; port: string; channel: number };
  osc: Trouble & { enabled: boolean; host: string; port: number; targets: OscTarget[]; receive: OscReceive };
  desktop: DesktopHealth;
  config: Trouble & { warnings: string[] };
  /** The time zone of the quiet hours. Older engines do not send it. */
  time?: Trouble & { zone: string };
}

export interface Config {
  bpf: { cgroup: string; tgid_allow: number[]; tgid_deny: number[] };
  features: { bpf: boolean; audio: boolean; midi: boolean; osc: boolean; fake: boolean };
  music: { bpm: number; key_midi: number; scale: string; preset: string; density: number; smoothing: number };
  audio: { device: string; master_gain: number; loudness_lufs: number };
  midi: { port: string; channel: number; clock: boolean };
  osc: { host: string; port: number; targets: string[]; receive: { enabled: boolean; port: number } };
  /** Times as HH:MM. */
  quiet: { enabled: boolean; from: string; to: string };
  desktop: { bus: boolean; mpris: boolean; notifications: boolean };
  /** Of engines that know of sites. */
  site?: { name: string; host: string | null; mode: SiteMode };
}

export interface ConfigAnswer extends Config {
  ok: true;
  restart_required: boolean;
}

export interface Device {
  id: string;
  name: string;
  is_default: boolean;
}

export interface RecordingFile {
  name: string;
  bytes: number;
}

export type CheckState = 'ok' | 'problem' | 'off';

/** One line of `khor doctor`. */
export interface DoctorCheck {
  name: string;
  state: CheckState;
  detail: string;
  fix: string | null;
}
