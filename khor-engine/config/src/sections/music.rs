//! The settings of the music. `khor-music` defines their ranges and defaults.

use khor_music::{Scale, Settings};

use super::rules::NAME;
use crate::{Access, Rule, definition::section};

section! {
    /// The music.
    Music, MusicPatch {
        /// Tempo, beats per minute.
        bpm: f32 = Settings::default().bpm, Rule::range(Settings::BPM), Access::Anyone;
        /// Tonic (key), a MIDI note number. Most roles use only its pitch class.
        key_midi: u8 = Settings::default().key_midi, KEY, Access::Anyone;
        /// The musical scale of all notes.
        scale: Scale = Settings::default().scale, Rule::Any, Access::Anyone;
        /// Name of the preset, as `khor presets` lists it.
        preset: String = "ambient".into(), NAME, Access::Anyone;
        /// How many notes the machine's activity causes, 0 (few) to 1 (many).
        density: f32 = Settings::default().density, Rule::range(Settings::SHARE), Access::Anyone;
        /// How slowly the music follows the signals, 0 (immediately) to 1 (slowly).
        smoothing: f32 = Settings::default().smoothing, Rule::range(Settings::SHARE), Access::Anyone;
        /// Seed of the random choices. The same seed and capture give the same music.
        seed: u64 = Settings::default().seed, Rule::Any, Access::Anyone;
    }
}

/// MIDI note numbers.
const KEY: Rule = Rule::Range(0.0, Settings::HIGHEST_KEY as f64);
