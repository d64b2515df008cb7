//! The arguments of `khor render`.

use std::path::PathBuf;

use clap::Args;
use khor_command_line::number;
use khor_config::Config;
use khor_music::Scale;
use serde_json::json;

/// Number of loads in the demo.
pub(super) const DEMO_LOADS: u64 = 8;

#[derive(Args, Debug)]
pub(crate) struct RenderArgs {
    /// The capture (see khor record)
    #[arg(required_unless_present = "demo", conflicts_with = "demo")]
    pub(super) capture: Option<PathBuf>,
    /// Render the synthetic demo: eight loads, 15 s each
    #[arg(long, visible_alias = "fake")]
    pub(super) demo: bool,
    /// The file to write: .wav or .flac (24-bit stereo), or .mid (notes)
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Beside it, each role's share of the sound, effects included, in a file of its own:
    /// NAME.melody.wav, …; together they are the whole
    #[arg(long)]
    pub(super) stems: bool,
    /// Stop after this many seconds, 0.001 to 31536000
    #[arg(long, value_name = "S", value_parser = number::seconds(), allow_negative_numbers = true)]
    pub(super) seconds: Option<f64>,
    /// Preset (see khor presets), or a preset file (.toml)
    #[arg(long, default_value = "ambient")]
    pub(super) preset: String,
    /// Beats per minute, 20 to 300
    #[arg(long, value_parser = number::within(20.0, 300.0_f32), allow_negative_numbers = true)]
    pub(super) bpm: Option<f32>,
    /// Tonic, MIDI note 0 to 127
    #[arg(long, value_name = "MIDI", value_parser = number::within(0, 127_u8), allow_negative_numbers = true)]
    pub(super) key: Option<u8>,
    /// Scale, such as dorian or `pentatonic_minor`
    #[arg(long, value_parser = parse_scale)]
    pub(super) scale: Option<Scale>,
    /// How much of the work becomes notes, 0 to 1
    #[arg(long, value_parser = number::within(0.0, 1.0_f32), allow_negative_numbers = true)]
    pub(super) density: Option<f32>,
    /// Volume, 0 to 1
    #[arg(long, value_parser = number::within(0.0, 1.0_f32), allow_negative_numbers = true)]
    pub(super) gain: Option<f32>,
    /// Loudness of an idle machine's music, LUFS: -23, -18 or -16
    #[arg(long, value_name = "LUFS", value_parser = loudness, allow_negative_numbers = true)]
    pub(super) loudness: Option<i8>,
    /// Same seed, same music: 0 to 18446744073709551615
    #[arg(long, value_parser = number::within(0, u64::MAX), allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Hertz, 8000 to 192000
    #[arg(long, value_name = "HZ", default_value_t = 48_000,
          value_parser = number::within(8_000, 192_000_u32), allow_negative_numbers = true)]
    pub(super) sample_rate: u32,
    /// Render even more than 24 hours, or if less disk space stays free than khor leaves by default
    #[arg(long)]
    pub(super) force: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl RenderArgs {
    /// The defaults and the flags: a render depends on nothing else.
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

fn loudness(text: &str) -> Result<i8, String> {
    let loudness = text.parse().ok().filter(|loudness| [-23, -18, -16].contains(loudness));
    loudness.ok_or_else(|| "expected -23, -18 or -16".to_owned())
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    serde_json::from_value(json!(text)).map_err(|problem| problem.to_string())
}
