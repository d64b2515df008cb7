//! A timbre as data: the sound of one role.
//!
//! A patch is part of the score, because a preset names its instruments. So patches live here and
//! the synth reads them. In the synth crate they would make the two crates depend on each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Waveform of a patch's oscillator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the usual ones")]
pub enum Wave {
    #[default]
    Sine,
    Triangle,
    Saw,
    Pulse,
    /// White noise, uniform within -1..=1; only the filter gives it a colour or a pitch.
    Noise,
    /// A sine whose phase is modulated by another sine: bells, mallets, drops.
    Fm,
}

/// What a patch's filter lets through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilterMode {
    /// Below the cutoff, 12 dB per octave; 0 dB far below it.
    #[default]
    Low,
    /// Around the cutoff, 6 dB per octave on either side; 0 dB at its peak whatever the resonance.
    Band,
    /// Above the cutoff, 12 dB per octave; 0 dB far above it.
    High,
}

/// One role's timbre. Plain data, copied into a voice when its note begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Patch {
    /// Oscillator waveform.
    pub wave: Wave,
    /// Pulse width, share of the period, 0.05..=0.5; pulse only.
    #[schemars(range(min = 0.05, max = 0.5))]
    pub width: f32,
    /// Distance of a second oscillator, cents, 0..=50; 0 is one oscillator. Noise has always one.
    #[schemars(range(min = 0.0, max = 50.0))]
    pub detune_cents: f32,
    /// Modulator's frequency as a multiple of the note's, 0.25..=12; fm only. Whole numbers are harmonic,
    /// others are bells.
    #[schemars(range(min = 0.25, max = 12.0))]
    pub fm_ratio: f32,
    /// Swing of the phase at full envelope, radians, 0..=8; fm only. It follows the envelope, so a note becomes
    /// purer as it fades, and is less for high notes, whose sidebands would fold.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub fm_index: f32,
    /// Swing of the pitch to either side once the vibrato is in full, cents, 0..=100; 0 is none.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub vibrato_cents: f32,
    /// Rate of the vibrato, Hz, 0.1..=12; every note's differs a little, as singers do.
    #[schemars(range(min = 0.1, max = 12.0))]
    pub vibrato_hz: f32,
    /// Time to full level, ms, 1..=10000.
    #[schemars(range(min = 1.0, max = 10_000.0))]
    pub attack_ms: f32,
    /// Time from full level to within 1/1000 of the sustain level, ms, 1..=20000.
    #[schemars(range(min = 1.0, max = 20_000.0))]
    pub decay_ms: f32,
    /// Level held until the release, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sustain: f32,
    /// Time from the release to -60 dB, ms, 5..=20000.
    #[schemars(range(min = 5.0, max = 20_000.0))]
    pub release_ms: f32,
    /// What the filter lets through.
    pub filter: FilterMode,
    /// Cutoff or centre at middle C, neutral brightness and envelope 0, Hz, 40..=16000.
    #[schemars(range(min = 40.0, max = 16_000.0))]
    pub cutoff_hz: f32,
    /// Resonance, 0 (Q 0.5) ..=1 (Q 8).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub resonance: f32,
    /// How far the cutoff follows the note, 0 (not at all) ..=1 (with the pitch).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub key_follow: f32,
    /// How far the envelope at full level opens the filter, octaves, -4..=4.
    #[schemars(range(min = -4.0, max = 4.0))]
    pub env_octaves: f32,
    /// Share of all that leaves the voice (dry and sends) that is sung through the vowel, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub vowel_send: f32,
    /// Share sent to the delay, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub delay_send: f32,
    /// Share sent to the reverb, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub reverb_send: f32,
    /// Level, dB, -60..=12.
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

/// A patch field outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} must be within {low}..={high}, not {value}")]
pub struct PatchError {
    /// Name of the field.
    pub field: &'static str,
    /// Lowest allowed value.
    pub low: f32,
    /// Highest allowed value.
    pub high: f32,
    /// What was given.
    pub value: f32,
}

impl Patch {
    /// Checks every range; the first that is broken is named.
    pub fn check(&self) -> Result<(), PatchError> {
        self.errors().next().map_or(Ok(()), Err)
    }

    /// Everything that is out of its range; to be called where patches enter the engine.
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
        assert_eq!(error.to_string(), "sustain must be within 0..=1, not 1.5");
        assert_eq!(Patch { cutoff_hz: f32::NAN, ..Patch::default() }.check().unwrap_err().field, "cutoff_hz");
    }

    #[test]
    fn every_patch_field_has_a_range() {
        let spoiled = [
            Patch { fm_ratio: 0.2, ..Patch::default() },
            Patch { fm_ratio: 12.5, ..Patch::default() },
            Patch { fm_index: 8.5, ..Patch::default() },
            Patch { vibrato_cents: 101.0, ..Patch::default() },
            Patch { vibrato_hz: 0.0, ..Patch::default() },
            Patch { vowel_send: -0.1, ..Patch::default() },
        ];
        let fields = spoiled.map(|patch| patch.check().unwrap_err().field);
        assert_eq!(fields, ["fm_ratio", "fm_ratio", "fm_index", "vibrato_cents", "vibrato_hz", "vowel_send"]);
        let patch: Patch = toml::from_str("wave = \"noise\"\nfilter = \"band\"\nvowel_send = 0.5").unwrap();
        assert_eq!((patch.wave, patch.filter, patch.vowel_send), (Wave::Noise, FilterMode::Band, 0.5));
        assert!(toml::from_str::<Patch>("filter = \"notch\"").is_err());
    }
}
