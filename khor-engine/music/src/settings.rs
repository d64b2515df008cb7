//! What the listener chooses about the music, whatever the preset.

use serde::{Deserialize, Serialize};

use super::scale::Scale;

/// The listener's musical settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Tempo in quarter notes per minute, 20..=300.
    pub bpm: f32,
    /// Key note, MIDI 0..=127; only its pitch class matters.
    pub key_midi: u8,
    /// Scale all pitches are taken from.
    pub scale: Scale,
    /// How many onsets the same work makes, 0..=1; 0.5 is what the preset intends.
    pub density: f32,
    /// How slowly the music follows the levels, 0..=1.
    pub smoothing: f32,
    /// Seed of every seeded choice.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bpm: 110.0, key_midi: 50, scale: Scale::Dorian, density: 0.5, smoothing: 0.5, seed: 1 }
    }
}

/// A setting outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} must be within {range}, not {value}")]
pub struct SettingsError {
    /// Name of the field, as in the configuration.
    pub field: &'static str,
    /// Allowed range.
    pub range: &'static str,
    /// What was given.
    pub value: f32,
}

impl Settings {
    /// Checks every range; to be called where settings enter the engine.
    pub fn check(&self) -> Result<(), SettingsError> {
        let Self { bpm, key_midi, scale: _, density, smoothing, seed: _ } = *self;
        let within =
            |ok, field, range, value| if ok { Ok(()) } else { Err(SettingsError { field, range, value }) };
        within((20.0..=300.0).contains(&bpm), "bpm", "20..=300", bpm)?;
        within(key_midi <= 127, "key_midi", "0..=127", key_midi.into())?;
        within((0.0..=1.0).contains(&density), "density", "0..=1", density)?;
        within((0.0..=1.0).contains(&smoothing), "smoothing", "0..=1", smoothing)
    }

    /// The nearest settings inside all ranges. This is a last defence of the composer and does not
    /// replace [`Self::check`].
    pub(super) fn clamped(self) -> Self {
        let or = |value: f32, low, high, fallback| {
            if value.is_finite() { value.clamp(low, high) } else { fallback }
        };
        Self {
            bpm: or(self.bpm, 20.0, 300.0, 110.0),
            key_midi: self.key_midi.min(127),
            density: or(self.density, 0.0, 1.0, 0.5),
            smoothing: or(self.smoothing, 0.0, 1.0, 0.5),
            ..self
        }
    }

    /// Length of one step (a sixteenth), seconds.
    pub fn step_s(&self) -> f64 {
        15.0 / f64::from(self.bpm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_field_range_and_value() {
        let settings = Settings { bpm: 500.0, ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().to_string(), "bpm must be within 20..=300, not 500");
        assert!(Settings { density: f32::NAN, ..Settings::default() }.check().is_err());
        assert!(Settings::default().check().is_ok());
    }

    #[test]
    fn clamped_settings_always_pass_the_check() {
        let wild = Settings {
            bpm: f32::NAN,
            key_midi: 255,
            density: -3.0,
            smoothing: f32::INFINITY,
            ..Settings::default()
        };
        assert!(wild.clamped().check().is_ok());
    }
}
