//! The configuration's shape, defaults and ranges: the one source for file, API and page.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BpfSubscription, Desktop, Listen, Osc, Quiet, Recordings, Site,
    limits::{self, DEVICE_CHARS, NAME_CHARS, PATH_CHARS},
};
use khor_music::{Scale, Settings};
use khor_signal::{PerSignal, RangeMode, SIGNALS, Scaling, SignalId, default_ceilings};
use khor_synth::{OfflineSettings, RenderMode, Volume};
use khor_system::words::cut;

/// Longest value that an error quotes, characters.
const QUOTED_CHARS: usize = 100;
/// Longest explanation in an error, characters.
const PROBLEM_CHARS: usize = 400;

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

/// The names of presets and ports that are accepted, for errors.
const NAME_FORM: &str = "a name of visible characters";

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", inert::escaped(.field, QUOTED_CHARS), inert::lines(&cut(.problem, PROBLEM_CHARS)))]
pub struct ConfigError {
    /// Dotted path of the field.
    pub field: String,
    /// What is wrong and what would be right.
    pub problem: String,
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
    /// Checks every range; the first that is broken is named.
    pub fn validate(&self) -> Result<(), ConfigError> {
        limits::check(self)?;
        self.listen.check()?;
        in_range("listen.port", self.listen.port, 1, u16::MAX)?;
        self.bpf.check()?;
        self.music_settings().check().map_err(|error| ConfigError {
            field: format!("music.{}", error.field),
            problem: refusal(&error.value, &error.range.replace("..=", " to ")),
        })?;
        let is_name = |text: &str| !text.is_empty() && inert::is_inert(text);
        require(is_name(&self.music.preset), "music.preset", &self.music.preset, NAME_FORM)?;
        require(
            ["", "pulseaudio", "alsa"].contains(&self.audio.backend.as_str()),
            "audio.backend",
            &self.audio.backend,
            "pulseaudio, alsa, or empty for the first that answers",
        )?;
        require(
            self.audio.device.is_empty()
                || (self.audio.device.starts_with("id:") && is_name(&self.audio.device)),
            "audio.device",
            &self.audio.device,
            "an id as khor devices lists them (id:…), or empty for the default device",
        )?;
        in_range("audio.sample_rate", self.audio.sample_rate, 8_000, 192_000)?;
        in_range("audio.master_gain", self.audio.master_gain, 0.0, 1.0)?;
        require(
            [-23, -18, -16].contains(&self.audio.loudness_lufs),
            "audio.loudness_lufs",
            self.audio.loudness_lufs,
            "-23, -18 or -16",
        )?;
        require(is_name(&self.midi.port), "midi.port", &self.midi.port, NAME_FORM)?;
        in_range("midi.channel", self.midi.channel, 1, 16)?;
        require(is_name(&self.osc.host), "osc.host", &self.osc.host, "a host name or address")?;
        in_range("osc.port", self.osc.port, 1, u16::MAX)?;
        in_range("osc.receive.port", self.osc.receive.port, 1, u16::MAX)?;
        self.osc.check_targets()?;
        self.quiet.check()?;
        self.recordings.check()?;
        self.site.check()?;
        for (name, ceiling) in &self.signals.ceilings {
            let field = format!("signals.ceilings.{name}");
            require(SIGNALS.iter().any(|info| info.name == name), &field, name, "the name of a signal")?;
            require(ceiling.is_finite() && *ceiling > 0.0, &field, ceiling, "a number above 0")?;
        }
        Ok(())
    }

    /// Names this configuration: another one has another tag.
    pub fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        // A configuration is a tree of plain values; that it can't be written is impossible.
        serde_json::to_string(self).unwrap_or_default().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// How rates become levels, as the pipeline wants it.
    pub fn scaling(&self) -> Scaling {
        let defaults = default_ceilings();
        let Signals { range, ceilings } = &self.signals;
        let ceilings =
            SIGNALS.map(|info| ceilings.get(info.name).copied().unwrap_or(defaults[info.id.index()]));
        Scaling { range: *range, ceilings, smoothing: self.music.smoothing }
    }

    /// Which signals are listened to, by `bpf.enabled_mask`.
    pub fn heard(&self) -> PerSignal<bool> {
        SIGNALS.map(|info| self.bpf.enabled_mask & mask_bits(info.id) == mask_bits(info.id))
    }

    /// How loud all of it is, as the synth wants it.
    pub fn volume(&self) -> Volume {
        let Audio { master_gain, loudness_lufs, .. } = self.audio;
        Volume { master_gain, loudness_lufs: loudness_lufs.into() }
    }

    /// The settings of a render.
    pub fn offline_settings(&self, mode: RenderMode) -> OfflineSettings {
        OfflineSettings {
            scaling: self.scaling(),
            music: self.music_settings(),
            volume: self.volume(),
            sample_rate_hz: self.audio.sample_rate,
            mode,
        }
    }

    /// The settings as the composer wants them.
    pub fn music_settings(&self) -> Settings {
        let Music { bpm, key_midi, scale, preset: _, density, smoothing, seed } = self.music.clone();
        Settings { bpm, key_midi, scale, density, smoothing, seed }
    }
}

/// Bits of `bpf.enabled_mask` a signal needs; none for those that aren't probes.
const fn mask_bits(signal: SignalId) -> u32 {
    match signal {
        SignalId::Exec | SignalId::Fork => 1,
        SignalId::Rx | SignalId::Tx | SignalId::Local => 2,
        SignalId::Csw => 4,
        SignalId::Io | SignalId::Lat => 8,
        SignalId::Retx => 16,
        SignalId::Irq | SignalId::Softirq => 32,
        SignalId::Stall | SignalId::Mem | SignalId::Cpu | SignalId::Fault => 0,
    }
}

pub(super) fn in_range<T: PartialOrd + std::fmt::Display>(
    field: &str,
    value: T,
    low: T,
    high: T,
) -> Result<(), ConfigError> {
    let expected = format!("{low} to {high}");
    require(value >= low && value <= high, field, value, &expected)
}

pub(super) fn require(
    holds: bool,
    field: &str,
    value: impl std::fmt::Display,
    expected: &str,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError { field: field.to_owned(), problem: refusal(&value, expected) })
}

fn refusal(value: &dyn std::fmt::Display, expected: &str) -> String {
    // The value may be long and may contain any character.
    format!("{} is not allowed, expected {expected}", inert::escaped(&value.to_string(), QUOTED_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn an_error_names_field_value_and_range() {
        let mut config = Config::default();
        config.music.bpm = 10.0;
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "music.bpm: 10 is not allowed, expected 20 to 300");
        config.music.bpm = f32::NAN;
        assert!(config.validate().is_err(), "not a number is in no range");
    }

    /// Active characters have no use in a setting, and could steer the terminal or page that shows
    /// them.
    #[test]
    fn active_text_is_refused_and_shown_escaped() {
        let set = |pointer: &str, text: &str| {
            let mut config = serde_json::to_value(Config::default()).unwrap();
            *config.pointer_mut(pointer).unwrap() =
                if pointer.ends_with('s') { serde_json::json!([text]) } else { serde_json::json!(text) };
            serde_json::from_value::<Config>(config).unwrap().validate()
        };
        let hostile = ["\x1b]52;c;cm0=\x07", "\u{9b}2J", "\u{202e}", "\u{200b}", "\u{e0041}", "\n"];
        for (pointer, text) in [
            ("/bpf/cgroup", "/a{}.service"),
            ("/music/preset", "ra{}in"),
            ("/audio/backend", "a{}"),
            ("/audio/device", "id:a{}"),
            ("/midi/port", "k{}hor"),
            ("/osc/host", "a{}"),
            ("/osc/targets", "a{}:1"),
            ("/listen/host", "1{}"),
            ("/listen/allowed_hosts", "a{}.local"),
            ("/site/name", "a{}"),
            ("/site/host", "a{}"),
            ("/site/nats/url", "nats://a{}"),
        ] {
            for hostile in hostile {
                let error = set(pointer, &text.replace("{}", hostile)).unwrap_err().to_string();
                let escaped = inert::escaped(hostile, 200);
                assert!(inert::is_inert(&error) && error.contains(&escaped), "{pointer}: {error:?}");
            }
            let long = set(pointer, &text.replace("{}", &"\x1b".repeat(10_000))).unwrap_err().to_string();
            assert!(long.len() < 2000, "{pointer}: {} bytes", long.len());
        }
    }

    /// The objects of the configuration as its schema has them, each with its place.
    fn ranges(schema: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
        let mut found = Vec::new();
        let mut visit = vec![(String::new(), schema.clone())];
        while let Some((path, object)) = visit.pop() {
            let name = object["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
            let object = name.map_or(object.clone(), |name| schema["$defs"][name].clone());
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                visit.push((format!("{path}/{key}"), property.clone()));
            }
            found.push((path, object));
        }
        found
    }

    #[test]
    fn the_schema_has_the_ranges_that_are_checked() {
        let schema = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let schema = serde_json::to_value(schema.into_root_schema_for::<Config>()).unwrap();
        let whole = serde_json::to_value(Config::default()).unwrap();
        let holds = |path: &str, value: f64, is_whole: bool| {
            let mut changed = whole.clone();
            let number = if is_whole { serde_json::json!(value as i64) } else { serde_json::json!(value) };
            *changed.pointer_mut(path).unwrap() = number;
            serde_json::from_value::<Config>(changed).is_ok_and(|config| config.validate().is_ok())
        };
        let mut ranges = ranges(&schema);
        ranges.retain(|(_, property)| property["maximum"].is_number() && property["enum"].is_null());
        assert!(ranges.len() >= 12, "{ranges:?}");
        for (path, property) in ranges {
            let (low, high) = (property["minimum"].as_f64().unwrap(), property["maximum"].as_f64().unwrap());
            // A setting that may be null has a list of types.
            let is_whole = property["type"].to_string().contains("integer");
            assert!(holds(&path, low, is_whole) && holds(&path, high, is_whole), "{path}: {property}");
            assert!(
                !holds(&path, low - 1.0, is_whole) && !holds(&path, high + 1.0, is_whole),
                "{path}: {property}"
            );
        }
    }

    #[test]
    fn the_mask_silences_its_signals_only() {
        let mut config = Config::default();
        config.bpf.enabled_mask = 63 & !2;
        let heard = config.heard();
        assert!([SignalId::Rx, SignalId::Tx, SignalId::Local].iter().all(|id| !heard[id.index()]));
        assert!(heard[SignalId::Exec.index()] && heard[SignalId::Mem.index()]);
    }
}
