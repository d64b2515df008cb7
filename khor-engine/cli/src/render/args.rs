//! The command-line arguments of `khor render`.

use std::path::PathBuf;

use clap::Args;
use khor_command_line::number;
use khor_config::{Audio, Config, FieldSpec, Leaf, Music};
use khor_music::Scale;
use serde_json::json;

use crate::setting_arg::{help, parser};

/// The option `--sample-rate`. It allows the same values as the setting `audio.sample_rate`.
const SAMPLE_RATE: FieldSpec = FieldSpec { meaning: "Sample rate, hertz.", ..Audio::sample_rate };
/// Number of loads in the demo.
pub(super) const DEMO_LOADS: u64 = 8;

#[derive(Args, Debug)]
pub(crate) struct RenderArgs {
    /// The capture, a file that khor record wrote
    #[arg(required_unless_present = "demo", conflicts_with = "demo")]
    pub(super) capture: Option<PathBuf>,
    /// Render the synthetic demo: eight loads of 15 s each
    #[arg(long, visible_alias = "fake")]
    pub(super) demo: bool,
    /// The file to write: NAME.wav or NAME.flac (24-bit stereo), or NAME.mid (notes)
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Also write one sound file for each role, with its effects: NAME.melody.wav, NAME.bass.wav,
    /// NAME.chords.wav, NAME.percussion.wav. Their sum is the mix
    #[arg(long)]
    pub(super) stems: bool,
    /// Stop after this many seconds, 0.001 to 31536000
    #[arg(long, value_name = "S", value_parser = number::seconds(), allow_negative_numbers = true)]
    pub(super) seconds: Option<f64>,
    /// Name of a preset (khor presets lists them), or a preset file (.toml)
    #[arg(long, default_value = "ambient")]
    pub(super) preset: String,
    #[arg(long, help = help(Music::bpm), value_parser = parser::<f32>(Music::bpm), allow_negative_numbers = true)]
    pub(super) bpm: Option<f32>,
    #[arg(long, value_name = "MIDI", help = help(Music::key_midi),
          value_parser = parser::<u8>(Music::key_midi), allow_negative_numbers = true)]
    pub(super) key: Option<u8>,
    /// Scale of the music, such as major or dorian
    #[arg(long, value_parser = parse_scale)]
    pub(super) scale: Option<Scale>,
    #[arg(long, help = help(Music::density), value_parser = parser::<f32>(Music::density), allow_negative_numbers = true)]
    pub(super) density: Option<f32>,
    #[arg(long, help = help(Audio::master_gain),
          value_parser = parser::<f32>(Audio::master_gain), allow_negative_numbers = true)]
    pub(super) gain: Option<f32>,
    #[arg(long, value_name = "LUFS", help = help(Audio::loudness_lufs),
          value_parser = parser::<i8>(Audio::loudness_lufs), allow_negative_numbers = true)]
    pub(super) loudness: Option<i8>,
    /// Seed of the random choices, 0 to 18446744073709551615. The same seed gives the same music
    #[arg(long, value_parser = number::within(0, u64::MAX), allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    #[arg(long, value_name = "HZ", default_value_t = Audio::default().sample_rate, help = help(SAMPLE_RATE),
          value_parser = parser::<u32>(SAMPLE_RATE), allow_negative_numbers = true)]
    pub(super) sample_rate: u32,
    /// Allow renders of more than 24 hours, and use the disk space that khor leaves free by default
    #[arg(long)]
    pub(super) force: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl RenderArgs {
    /// Returns the configuration of the render: the default settings, changed by the options. The
    /// user's configuration file is ignored, so that renders are reproducible.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::default();
        let music = &mut config.music;
        music.preset.clone_from(&self.preset);
        music.bpm = self.bpm.unwrap_or(music.bpm);
        music.key_midi = self.key.unwrap_or(music.key_midi);
        music.scale = self.scale.unwrap_or(music.scale);
        music.density = self.density.unwrap_or(music.density);
        music.seed = self.seed.unwrap_or(music.seed);
        config.audio.master_gain = self.gain.unwrap_or(config.audio.master_gain);
        config.audio.loudness_lufs = self.loudness.unwrap_or(config.audio.loudness_lufs);
        config.audio.sample_rate = self.sample_rate;
        config.validate()?;
        Ok(config)
    }
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    serde_json::from_value(json!(text))
        .map_err(|_| format!("expected one of {}", Scale::choices().join(", ")))
}
