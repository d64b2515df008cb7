//! Defines the musical settings that apply to every preset.

use serde::{Deserialize, Serialize};

use super::scale::Scale;

/// The musical settings that the user chooses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Tempo in quarter notes per minute, within [`Settings::BPM`].
    pub bpm: f32,
    /// Tonic, MIDI note number, at most [`Settings::HIGHEST_KEY`]. Only the pitch class of the
    /// tonic matters.
    pub key_midi: u8,
    /// Scale of all pitches.
    pub scale: Scale,
    /// Density, within [`Settings::SHARE`]. A higher density gives more onsets for the same work.
    /// At 0.5, the preset is unchanged.
    pub density: f32,
    /// Smoothing, within [`Settings::SHARE`]. With more smoothing, the music follows the levels
    /// more slowly.
    pub smoothing: f32,
    /// Seed of all random choices.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bpm: 110.0, key_midi: 50, scale: Scale::Dorian, density: 0.5, smoothing: 0.5, seed: 1 }
    }
}

impl Settings {
    /// Slowest and fastest tempo, quarter notes per minute.
    pub const BPM: (f32, f32) = (20.0, 300.0);
    /// Highest MIDI note number of the tonic. The lowest is 0.
    pub const HIGHEST_KEY: u8 = 127;
    /// Lowest and highest value of density and smoothing.
    pub const SHARE: (f32, f32) = (0.0, 1.0);

    /// Limits every setting to its range. The configuration already rejects values outside the
    /// ranges. This function protects the composer from other callers.
    pub(super) fn clamped(self) -> Self {
        let usual = Self::default();
        let or = |value: f32, (low, high): (f32, f32), fallback| {
            if value.is_finite() { value.clamp(low, high) } else { fallback }
        };
        Self {
            bpm: or(self.bpm, Self::BPM, usual.bpm),
            key_midi: self.key_midi.min(Self::HIGHEST_KEY),
            density: or(self.density, Self::SHARE, usual.density),
            smoothing: or(self.smoothing, Self::SHARE, usual.smoothing),
            ..self
        }
    }

    /// Length of one step, which is a sixteenth, in seconds.
    pub fn step_s(&self) -> f64 {
        15.0 / f64::from(self.bpm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamped_settings_are_within_their_ranges() {
        let outside = Settings {
            bpm: f32::NAN,
            key_midi: 255,
            density: -3.0,
            smoothing: f32::INFINITY,
            ..Settings::default()
        };
        let usual = Settings::default();
        let expected = Settings { bpm: usual.bpm, key_midi: Settings::HIGHEST_KEY, density: 0.0, ..usual };
        assert_eq!(outside.clamped(), expected);
        assert_eq!(Settings { bpm: 500.0, ..usual }.clamped().bpm, Settings::BPM.1);
    }
}
