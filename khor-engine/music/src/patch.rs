//! Defines patches. A patch describes the timbre of an instrument as data.
//!
//! A preset contains its patches, and the synth reads them. Patches are defined in this crate, so
//! that this crate does not depend on the synth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Waveform of a patch's oscillator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "these are the usual names of waveforms")]
pub enum Wave {
    #[default]
    Sine,
    Triangle,
    Saw,
    Pulse,
    /// White noise, uniform within -1..=1. The filter gives it colour and pitch.
    Noise,
    /// A sine whose phase is modulated by another sine. It suits bells, mallets and drops.
    Fm,
}

/// The kind of a patch's filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilterMode {
    /// Low-pass, 12 dB per octave. The gain far below the cutoff is 0 dB.
    #[default]
    Low,
    /// Band-pass, 6 dB per octave on either side. The gain at the centre is 0 dB for any resonance.
    Band,
    /// High-pass, 12 dB per octave. The gain far above the cutoff is 0 dB.
    High,
}

/// The timbre of an instrument. When a note begins, its voice copies the patch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Patch {
    /// Waveform of the oscillators.
    pub wave: Wave,
    /// Width of the wave `pulse`, as a share of the period, 0.05..=0.5.
    #[schemars(range(min = 0.05, max = 0.5))]
    pub width: f32,
    /// Detuning of a second oscillator, cents, 0..=50. At 0, and for noise, there is only one
    /// oscillator.
    #[schemars(range(min = 0.0, max = 50.0))]
    pub detune_cents: f32,
    /// Frequency of the modulator of the wave `fm`, as a multiple of the note's frequency,
    /// 0.25..=12. Whole numbers sound harmonic, and other numbers sound like bells.
    #[schemars(range(min = 0.25, max = 12.0))]
    pub fm_ratio: f32,
    /// Modulation index of the wave `fm` at full envelope, radians, 0..=8. The modulation follows
    /// the envelope, so a note becomes purer as it fades. High notes get less modulation, which
    /// avoids aliasing.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub fm_index: f32,
    /// Depth of the vibrato to either side, cents, 0..=100. At 0, there is no vibrato.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub vibrato_cents: f32,
    /// Rate of the vibrato, Hz, 0.1..=12. The rate varies slightly from note to note, as it does
    /// with singers.
    #[schemars(range(min = 0.1, max = 12.0))]
    pub vibrato_hz: f32,
    /// Attack: time until the full level is reached, ms, 1..=10000.
    #[schemars(range(min = 1.0, max = 10_000.0))]
    pub attack_ms: f32,
    /// Decay: time in which the level falls from full to within 1/1000 of the sustain level, ms,
    /// 1..=20000.
    #[schemars(range(min = 1.0, max = 20_000.0))]
    pub decay_ms: f32,
    /// Sustain: level until the note is released, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sustain: f32,
    /// Release: time until the level has fallen by 60 dB, ms, 5..=20000.
    #[schemars(range(min = 5.0, max = 20_000.0))]
    pub release_ms: f32,
    /// Kind of the filter.
    pub filter: FilterMode,
    /// Cutoff or centre frequency of the filter, Hz, 40..=16000. It applies to middle C at neutral
    /// brightness, before the envelope opens the filter.
    #[schemars(range(min = 40.0, max = 16_000.0))]
    pub cutoff_hz: f32,
    /// Resonance of the filter, from 0 (Q 0.5) to 1 (Q 8).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub resonance: f32,
    /// How closely the cutoff follows the pitch of the note, from 0 (not at all) to 1 (fully).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub key_follow: f32,
    /// Shift of the filter cutoff at full envelope, octaves, -4..=4.
    #[schemars(range(min = -4.0, max = 4.0))]
    pub env_octaves: f32,
    /// Share of the sound that passes through the vowel filter, 0..=1. It applies to the dry sound
    /// and to the effect sends.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub vowel_send: f32,
    /// Share of the output that goes to the delay, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub delay_send: f32,
    /// Share of the output that goes to the reverb, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub reverb_send: f32,
    /// Gain, dB, -60..=12.
    #[schemars(range(min = -60.0, max = 12.0))]
    pub gain_db: f32,
}

impl Default for Patch {
    fn default() -> Self {
        Self {
            wave: Wave::Sine,
            width: 0.5,
            detune_cents: 0.0,
            fm_ratio: 2.0,
            fm_index: 1.0,
            vibrato_cents: 0.0,
            vibrato_hz: 5.5,
            attack_ms: 5.0,
            decay_ms: 200.0,
            sustain: 0.5,
            release_ms: 200.0,
            filter: FilterMode::Low,
            cutoff_hz: 2000.0,
            resonance: 0.1,
            key_follow: 0.3,
            env_octaves: 0.0,
            vowel_send: 0.0,
            delay_send: 0.0,
            reverb_send: 0.2,
            gain_db: -12.0,
        }
    }
}

/// A field of a patch is outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} must be from {low} to {high}, not {value}")]
pub struct PatchError {
    /// Name of the invalid field.
    pub field: &'static str,
    /// Lowest allowed value of the field.
    pub low: f32,
    /// Highest allowed value of the field.
    pub high: f32,
    /// The invalid value.
    pub value: f32,
}

impl Patch {
    /// Checks the ranges of all fields. Returns an error for the first field that is outside its
    /// range.
    pub fn check(&self) -> Result<(), PatchError> {
        self.errors().next().map_or(Ok(()), Err)
    }

    /// Returns an error for each field outside its range. Every patch that enters the engine must
    /// be checked with this function.
    pub fn errors(&self) -> impl Iterator<Item = PatchError> + use<> {
        let fields = [
            ("width", self.width, 0.05, 0.5),
            ("detune_cents", self.detune_cents, 0.0, 50.0),
            ("fm_ratio", self.fm_ratio, 0.25, 12.0),
            ("fm_index", self.fm_index, 0.0, 8.0),
            ("vibrato_cents", self.vibrato_cents, 0.0, 100.0),
            ("vibrato_hz", self.vibrato_hz, 0.1, 12.0),
            ("attack_ms", self.attack_ms, 1.0, 10_000.0),
            ("decay_ms", self.decay_ms, 1.0, 20_000.0),
            ("sustain", self.sustain, 0.0, 1.0),
            ("release_ms", self.release_ms, 5.0, 20_000.0),
            ("cutoff_hz", self.cutoff_hz, 40.0, 16_000.0),
            ("resonance", self.resonance, 0.0, 1.0),
            ("key_follow", self.key_follow, 0.0, 1.0),
            ("env_octaves", self.env_octaves, -4.0, 4.0),
            ("vowel_send", self.vowel_send, 0.0, 1.0),
            ("delay_send", self.delay_send, 0.0, 1.0),
            ("reverb_send", self.reverb_send, 0.0, 1.0),
            ("gain_db", self.gain_db, -60.0, 12.0),
        ];
        let broken = |&(_, value, low, high): &(_, f32, f32, f32)| !(low..=high).contains(&value);
        fields.into_iter().filter(broken).map(|(field, value, low, high)| PatchError {
            field,
            low,
            high,
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_out_of_range_fields() {
        assert!(Patch::default().check().is_ok());
        let error = Patch { sustain: 1.5, ..Patch::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "sustain must be from 0 to 1, not 1.5");
        assert_eq!(Patch { cutoff_hz: f32::NAN, ..Patch::default() }.check().unwrap_err().field, "cutoff_hz");
    }

    #[test]
    fn every_patch_field_has_a_range() {
        let invalid = [
            Patch { fm_ratio: 0.2, ..Patch::default() },
            Patch { fm_ratio: 12.5, ..Patch::default() },
            Patch { fm_index: 8.5, ..Patch::default() },
            Patch { vibrato_cents: 101.0, ..Patch::default() },
            Patch { vibrato_hz: 0.0, ..Patch::default() },
            Patch { vowel_send: -0.1, ..Patch::default() },
        ];
        let fields = invalid.map(|patch| patch.check().unwrap_err().field);
        assert_eq!(fields, ["fm_ratio", "fm_ratio", "fm_index", "vibrato_cents", "vibrato_hz", "vowel_send"]);
        let patch: Patch = toml::from_str("wave = \"noise\"\nfilter = \"band\"\nvowel_send = 0.5").unwrap();
        assert_eq!((patch.wave, patch.filter, patch.vowel_send), (Wave::Noise, FilterMode::Band, 0.5));
        assert!(toml::from_str::<Patch>("filter = \"notch\"").is_err());
    }
}
