// The shapes of docs/api.md that this page reads; absent values are null, never 0.

export type Family = 'process' | 'network' | 'disk' | 'memory' | 'kernel';
export type Unit = '1/s' | 'B/s' | 's' | 'ratio';

export interface Signal {
  /** How loud the signal is, 0..1; null when unknown. */
  level: number | null;
  /** Octaves above what is ordinary on this machine; null when unknown. */
  deviation: number | null;
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

export interface Controls {
  bpm: number;
  key_midi: number;
  density: number;
  smoothing: number;
  preset: string;
  scale: string;
  master_gain: number;
  muted: boolean;
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
  music: Music;
}

export interface HistoryPoint {
  ts_ms: number;
  levels: Record<string, number | null>;
  rates: Record<string, number | null>;
}

export interface MetricsWithHistory extends Metrics {
  history: HistoryPoint[];
}

export type SourceKind = 'collector' | 'proc' | 'demo' | 'capture' | 'none';

interface Trouble {
  ok: boolean;
  error: string | null;
  fix?: string | null;
}

export interface Source extends Trouble {
  kind: SourceKind;
  interval_ms: number | null;
  detail: string | null;
}

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
}

export interface OscTarget {
  target: string;
  ok: boolean;
  error: string | null;
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
  probes: Probe[];
  audio: AudioHealth;
  recording: Recording;
  bpf: Trouble & { enabled: boolean };
  midi: Trouble & { enabled: boolean; port: string; channel: number };
  osc: Trouble & { enabled: boolean; host: string; port: number; targets: OscTarget[] };
  config: Trouble & { warnings: string[] };
}

export interface Config {
  features: { bpf: boolean; audio: boolean; midi: boolean; osc: boolean; fake: boolean };
  music: { bpm: number; key_midi: number; scale: string; preset: string; density: number; smoothing: number };
  audio: { device: string; master_gain: number; loudness_lufs: number };
}

export interface ConfigAnswer extends Config {
  ok: true;
  restart_required: boolean;
}

export interface Preset {
  name: string;
  hint: string;
}

export interface Device {
  id: string;
  name: string;
  is_default: boolean;
}
