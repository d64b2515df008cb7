//! The configuration's shape, defaults and ranges: the one source for file, API and page.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use khor_music::{Scale, Settings};
use khor_signal::{RangeMode, SIGNALS, default_ceilings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BpfSubscription, Desktop, Listen, Osc, Quiet, Recordings, Site,
    lengths::{DEVICE_CHARS, NAME_CHARS, PATH_CHARS},
};

/// Everything that can be configured. Unknown keys in the file are kept and warned about. A change
/// with an unknown key is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Version of this layout.
    pub version: u32,
    /// Where the HTTP API listens.
    pub listen: Listen,
    /// The web page.
    pub ui: Ui,
    /// Which parts run.
    pub features: Features,
    /// What this engine asks of the collector.
    pub bpf: BpfSubscription,
    /// The music.
    pub music: Music,
    /// The sound device.
    pub audio: Audio,
    /// MIDI output.
    pub midi: Midi,
    /// OSC output and input.
    pub osc: Osc,
    /// From rates to levels.
    pub signals: Signals,
    /// Hours in which the sound device is muted.
    pub quiet: Quiet,
    /// Limits of the disk space for recordings.
    pub recordings: Recordings,
    /// The session bus.
    pub desktop: Desktop,
    /// Which site is heard instead of this machine, and how; only the file may say which.
    pub site: Site,
}

/// The web page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ui {
    /// Whether the page is served.
    pub serve: bool,
    /// Serve it from this folder instead of the copy inside the program.
    #[schemars(length(max = PATH_CHARS))]
    pub dir: Option<PathBuf>,
}

/// Which parts run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Features {
    /// Listen to the collector; without it only `/proc` is read.
    pub bpf: bool,
    /// Play on a sound device.
    pub audio: bool,
    /// Send MIDI.
    pub midi: bool,
    /// Send OSC.
    pub osc: bool,
    /// Play the synthetic demo source instead of this machine.
    pub fake: bool,
}

/// The music.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Music {
    /// Beats per minute, 20..=300.
    #[schemars(range(min = 20, max = 300))]
    pub bpm: f32,
    /// Tonic, MIDI note 0..=127; only its place in the octave matters to most roles.
    #[schemars(range(min = 0, max = 127))]
    pub key_midi: u8,
    /// Scale.
    pub scale: Scale,
    /// Name of the preset, built in or the user's own (`khor presets`).
    #[schemars(length(min = 1, max = NAME_CHARS))]
    pub preset: String,
    /// How much of the work becomes notes, 0..=1.
    #[schemars(range(min = 0, max = 1))]
    pub density: f32,
    /// How slowly signals follow, 0..=1.
    #[schemars(range(min = 0, max = 1))]
    pub smoothing: f32,
    /// Same seed, same capture: same music.
    pub seed: u64,
}

/// The sound device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Audio {
    /// `pulseaudio`, `alsa`, or empty for the first that answers.
    #[schemars(extend("enum" = ["", "pulseaudio", "alsa"]))]
    pub backend: String,
    /// `id:…` as listed by `khor devices`, or empty for the default device.
    #[schemars(regex(pattern = "^(id:.*)?$"), length(max = DEVICE_CHARS))]
    pub device: String,
    /// Asked of the device, hertz; it may answer with another. 8000..=192000.
    #[schemars(range(min = 8000, max = 192_000))]
    pub sample_rate: u32,
    /// Volume, 0..=1.
    #[schemars(range(min = 0, max = 1))]
    pub master_gain: f32,
    /// Loudness of an idle machine's music at volume 0.5, LUFS: -23, -18 or -16.
    #[schemars(extend("enum" = [-23, -18, -16]))]
    pub loudness_lufs: i8,
}

/// MIDI output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Midi {
    /// Name of the ALSA sequencer port.
    #[schemars(length(min = 1, max = NAME_CHARS))]
    pub port: String,
    /// Channel of the melody, 1..=16; the other roles have fixed channels.
    #[schemars(range(min = 1, max = 16))]
    pub channel: u8,
    /// Send MIDI clock, start and stop: 24 clocks a quarter note, from the next bar line on.
    pub clock: bool,
}

/// From rates to levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Signals {
    /// `adaptive`: levels are relative to this machine's own baseline; `absolute`: to the ceilings alone.
    pub range: RangeMode,
    /// Rate at which a signal's level is 1, in its own unit, > 0; those not named keep their default.
    pub ceilings: BTreeMap<String, f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: 1,
            listen: Listen::default(),
            ui: Ui::default(),
            features: Features::default(),
            bpf: BpfSubscription::default(),
            music: Music::default(),
            audio: Audio::default(),
            midi: Midi::default(),
            osc: Osc::default(),
            signals: Signals::default(),
            quiet: Quiet::default(),
            recordings: Recordings::default(),
            desktop: Desktop::default(),
            site: Site::default(),
        }
    }
}

impl Default for Ui {
    fn default() -> Self {
        Self { serve: true, dir: None }
    }
}

impl Default for Features {
    fn default() -> Self {
        Self { bpf: true, audio: true, midi: false, osc: false, fake: false }
    }
}

impl Default for Music {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            bpm: settings.bpm,
            key_midi: settings.key_midi,
            scale: settings.scale,
            preset: "ambient".into(),
            density: settings.density,
            smoothing: settings.smoothing,
            seed: settings.seed,
        }
    }
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            backend: String::new(),
            device: String::new(),
            sample_rate: 48_000,
            master_gain: 0.5,
            loudness_lufs: -23,
        }
    }
}

impl Default for Midi {
    fn default() -> Self {
        Self { port: "khor".into(), channel: 1, clock: false }
    }
}

impl Default for Signals {
    fn default() -> Self {
        let ceilings = default_ceilings();
        Self {
            range: RangeMode::default(),
            ceilings: SIGNALS.iter().map(|info| (info.name.to_owned(), ceilings[info.id.index()])).collect(),
        }
    }
}

impl Config {
    /// Names this configuration: another one has another tag.
    pub fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        // A configuration is a tree of plain values; that it can't be written is impossible.
        serde_json::to_string(self).unwrap_or_default().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}
