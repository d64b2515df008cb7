//! The sound samples of the documents, and the check that a sample matches the current music.

use std::{error::Error, path::PathBuf};

use khor_config::Config;
use khor_engine::engine::{CLIPS, Clip, PlayedClip};
use khor_music::Preset;
use serde::{Deserialize, Serialize};

/// What the presets are compared by; the first preset has every scenario.
pub(crate) const COMPARED: [&str; 3] = ["download", "compile", "memory-pressure"];
/// Where what was made is listed, beside the files.
pub(crate) const LISTING: &str = "samples.json";

/// A scenario in a preset.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) clip: &'static Clip,
    pub(crate) preset: &'static Preset,
}

/// What a sample was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) file: String,
    /// CRC-32 of the file.
    pub(crate) bytes: String,
    /// CRC-32 of the notes.
    pub(crate) notes: String,
    /// Root mean square of each second, dB of full scale.
    pub(crate) levels_db: Vec<f32>,
}

/// Where the samples are.
pub(crate) fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "sounds"].iter().collect()
}

/// All of them.
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

    /// As the engine plays it with its default settings.
    pub(crate) fn play(&self, config: &Config) -> Result<PlayedClip, Box<dyn Error>> {
        Ok(self.clip.play(config, self.preset.clone())?)
    }

    pub(crate) fn made(&self, played: &PlayedClip, rate_hz: u32, file: &[u8]) -> Made {
        Made {
            file: self.file(),
            bytes: crc(file),
            notes: crc(notes(played).as_bytes()),
            levels_db: levels_db(played, rate_hz as usize),
        }
    }
}

pub(crate) fn crc(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// One note a line: to the millisecond, so that another processor's last digit is no other note.
fn notes(played: &PlayedClip) -> String {
    let line = |note: &khor_music::Note| {
        format!("{:.0} {} {} {:?}\n", 1000.0 * note.onset_s, note.midi, note.role.midi_channel(), note.layer)
    };
    played.notes.iter().map(line).collect()
}

fn levels_db(played: &PlayedClip, rate_hz: usize) -> Vec<f32> {
    let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
    let seconds = played.left.chunks_exact(rate_hz).zip(played.right.chunks_exact(rate_hz));
    let level =
        |(left, right)| 10.0 * ((power(left) + power(right)) / (2.0 * rate_hz as f32)).max(1e-10).log10();
    seconds.map(|second| (10.0 * level(second)).round() / 10.0).collect()
}
