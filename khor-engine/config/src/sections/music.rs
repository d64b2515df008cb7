//! The settings of the music. Ranges and defaults are those of the composer.

use khor_music::{Scale, Settings};

use super::rules::NAME;
use crate::{Access, Rule, definition::section};

section! {
    /// The music.
    Music, MusicPatch {
        /// Tempo, beats per minute.
        bpm: f32 = Settings::default().bpm, Rule::range(Settings::BPM), Access::Anyone;
        /// Tonic, a MIDI note number. Most roles use only its pitch class.
        key_midi: u8 = Settings::default().key_midi, KEY, Access::Anyone;
        /// Scale of all pitches.
        scale: Scale = Settings::default().scale, Rule::Any, Access::Anyone;
        /// Name of the preset, built in or the user's own (`khor presets`).
        preset: String = "ambient".into(), NAME, Access::Anyone;
        /// How much of the work becomes notes.
        density: f32 = Settings::default().density, Rule::range(Settings::SHARE), Access::Anyone;
        /// How slowly the music follows the signals.
        smoothing: f32 = Settings::default().smoothing, Rule::range(Settings::SHARE), Access::Anyone;
        /// Seed of the random choices. The same seed and capture give the same music.
        seed: u64 = Settings::default().seed, Rule::Any, Access::Anyone;
    }
}

/// MIDI notes.
const KEY: Rule = Rule::Range(0.0, Settings::HIGHEST_KEY as f64);
