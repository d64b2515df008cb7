// Limits of the settings. `cargo xtask api` writes this file from khor-engine/config; do not edit it.

/** Lowest and highest value of each numeric setting. */
export const RANGES = {
  'listen.port': { min: 1, max: 65535 },
  'bpf.enabled_mask': { min: 0, max: 63 },
  'bpf.sample_interval_ms': { min: 5, max: 5000 },
  'music.bpm': { min: 20, max: 300 },
  'music.key_midi': { min: 0, max: 127 },
  'music.density': { min: 0, max: 1 },
  'music.smoothing': { min: 0, max: 1 },
  'audio.sample_rate': { min: 8000, max: 192000 },
  'audio.master_gain': { min: 0, max: 1 },
  'midi.channel': { min: 1, max: 16 },
  'osc.port': { min: 1, max: 65535 },
  'osc.receive.port': { min: 1, max: 65535 },
  'recordings.quota_mib': { min: 1, max: 16777216 },
  'recordings.min_free_mib': { min: 0, max: 16777216 },
} as const;

/** All values of each setting with a fixed list of values. */
export const CHOICES = {
  'music.scale': ['pentatonic_minor', 'pentatonic_major', 'natural_minor', 'harmonic_minor', 'major', 'dorian', 'phrygian', 'lydian', 'mixolydian', 'whole_tone', 'chromatic'],
  'audio.backend': ['', 'pulseaudio', 'alsa'],
  'audio.loudness_lufs': [-23, -18, -16],
  'signals.range': ['adaptive', 'absolute'],
  'site.mode': ['ensemble', 'sections', 'roll_call'],
} as const;

/** Largest number of entries of each setting that is a list. */
export const MAX_ITEMS = {
  'listen.allowed_hosts': 16,
  'bpf.tgid_allow': 15,
  'bpf.tgid_deny': 16,
  'osc.targets': 8,
} as const;
