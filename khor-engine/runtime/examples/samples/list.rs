//! Lists the sound samples of the documentation. For each sample, computes the values that a test
//! compares to detect a change of the music.

use std::{error::Error, path::PathBuf};

use khor_config::Config;
use khor_engine::engine::{CLIPS, Clip, PlayedClip};
use khor_music::Preset;
use serde::{Deserialize, Serialize};

/// The scenarios that are rendered in every preset, so that users can compare the presets. All
/// other scenarios are rendered only in the first preset.
pub(crate) const COMPARED: [&str; 3] = ["download", "compile", "memory-pressure"];
/// Name of the file in [`folder`] that lists the samples.
pub(crate) const LISTING: &str = "samples.json";

/// A sound sample: one scenario, played in one preset.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) clip: &'static Clip,
    pub(crate) preset: &'static Preset,
}

/// The entry of a rendered sample in [`LISTING`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// Name of the Opus file.
    pub(crate) file: String,
    /// CRC-32 of the Opus file, as hexadecimal digits.
    pub(crate) bytes: String,
    /// CRC-32 of the list of notes, as hexadecimal digits.
    pub(crate) notes: String,
    /// Root mean square level of each second, in dB relative to full scale.
    pub(crate) levels_db: Vec<f32>,
}

pub(crate) fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "sounds"].iter().collect()
}

pub(crate) fn samples() -> Vec<Sample> {
    let presets = Preset::builtin().iter().enumerate();
    let of = |(number, preset)| {
        let clips = CLIPS.iter().filter(move |clip| number == 0 || COMPARED.contains(&clip.scenario));
        clips.map(move |clip| Sample { clip, preset })
    };
    presets.flat_map(of).collect()
}

impl Sample {
    pub(crate) fn file(&self) -> String {
        format!("{}-{}.opus", self.preset.name, self.clip.scenario)
    }

    /// Renders the sample with the settings `config`.
    pub(crate) fn play(&self, config: &Config) -> Result<PlayedClip, Box<dyn Error>> {
        Ok(self.clip.play(config, self.preset.clone())?)
    }

    /// Computes the entry of a rendered sample in [`LISTING`].
    pub(crate) fn made(&self, played: &PlayedClip, rate_hz: u32, file: &[u8]) -> Made {
        Made {
            file: self.file(),
            bytes: crc(file),
            notes: crc(notes(played).as_bytes()),
            levels_db: levels_db(played, rate_hz as usize),
        }
    }
}

/// Computes the CRC-32 of `bytes`, as eight hexadecimal digits.
pub(crate) fn crc(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Writes the notes as text, one note on each line. Onsets are rounded to milliseconds, because the
/// last digits of a float may differ between processors.
fn notes(played: &PlayedClip) -> String {
    let line = |note: &khor_music::Note| {
        format!("{:.0} {} {} {:?}\n", 1000.0 * note.onset_s, note.midi, note.role.midi_channel(), note.layer)
    };
    played.notes.iter().map(line).collect()
}

/// Computes the root mean square level of each second, in dB relative to full scale, rounded to 0.1
/// dB.
fn levels_db(played: &PlayedClip, rate_hz: usize) -> Vec<f32> {
    let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
    let seconds = played.left.chunks_exact(rate_hz).zip(played.right.chunks_exact(rate_hz));
    let level =
        |(left, right)| 10.0 * ((power(left) + power(right)) / (2.0 * rate_hz as f32)).max(1e-10).log10();
    seconds.map(|second| (10.0 * level(second)).round() / 10.0).collect()
}
