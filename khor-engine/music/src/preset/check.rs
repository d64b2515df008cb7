//! Checks the ranges of a preset's fields. The check reports all problems at once, so that authors
//! can fix them together.

use super::{BedSettings, MAX_PULSE_STREAMS, Preset, PulseSettings, VoiceSettings};
use crate::{
    note::Instrument,
    problem::{Problem, Problems},
    scale::Register,
};

/// Maximum length of a name, characters.
const MAX_NAME_CHARS: usize = 64;
/// Maximum length of a hint, characters.
pub(super) const MAX_HINT_CHARS: u32 = 300;
/// Maximum number of roots of the bed.
pub(super) const MAX_ROOTS: u32 = 64;

impl Preset {
    /// Whether a preset may have this name.
    pub fn is_valid_name(name: &str) -> bool {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        (1..=MAX_NAME_CHARS).contains(&name.len()) && name.chars().all(allowed)
    }

    /// The rule for names. Errors use it to complete the sentence "must be …".
    pub const NAMES: &'static str = "1 to 64 of the characters a-z, 0-9, - and _";

    pub(super) fn checked(self) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let Self { name, hint, trim_db, swing, bed, pulse, voices, patches, mapping: _ } = &self;
        found.require(Self::is_valid_name(name), "name", Self::NAMES);
        let is_short = hint.chars().count() <= MAX_HINT_CHARS as usize;
        found.require(is_short, "hint", &format!("at most {MAX_HINT_CHARS} characters"));
        found.require((-24.0..=24.0).contains(trim_db), "trim_db", "from -24 to 24");
        found.require((0.0..=0.5).contains(swing), "swing", "from 0 to 0.5");
        bed.check(&mut found);
        found.require(pulse.len() <= MAX_PULSE_STREAMS, "pulse", "a list of at most 4 streams");
        for (index, stream) in pulse.iter().enumerate() {
            stream.check(&format!("pulse[{index}]"), &mut found);
        }
        voices.check(&mut found);
        for instrument in Instrument::ALL {
            let Some(patch) = patches.own(instrument) else { continue };
            for error in patch.errors() {
                let path = format!("patches.{}.{}", instrument.name(), error.field);
                found.require(false, path, &format!("from {} to {}", error.low, error.high));
            }
        }
        found.into_result(self)
    }
}

fn check_register(register: Register, path: String, found: &mut Problems) {
    let Register { low, high } = register;
    let holds = low >= 36 && high <= 96 && high >= low.saturating_add(11);
    found.require(holds, path, "from 36 to 96 and at least an octave wide");
}

impl BedSettings {
    fn check(&self, found: &mut Problems) {
        check_register(self.register, "bed.register".into(), found);
        found.require((0.0..=1.0).contains(&self.velocity), "bed.velocity", "from 0 to 1");
        found.require((0.0..=1.0).contains(&self.bass_velocity), "bed.bass_velocity", "from 0 to 1");
        found.require((1..=4).contains(&self.notes), "bed.notes", "from 1 to 4");
        found.require((4..=8).contains(&self.chord_bars), "bed.chord_bars", "from 4 to 8");
        let near = self.roots.iter().all(|root| (-12..=12).contains(root));
        let count_fits = (1..=MAX_ROOTS as usize).contains(&self.roots.len());
        found.require(
            near && count_fits,
            "bed.roots",
            &format!("a list of 1 to {MAX_ROOTS} degrees from -12 to 12"),
        );
        found.require((1.0..=20.0).contains(&self.breath_s), "bed.breath_s", "from 1 to 20");
        found.require((0.0..=4.0).contains(&self.strum_steps), "bed.strum_steps", "from 0 to 4");
    }
}

impl PulseSettings {
    fn check(&self, path: &str, found: &mut Problems) {
        check_register(self.register, format!("{path}.register"), found);
        let mut require = |holds, field, range| found.require(holds, format!("{path}.{field}"), range);
        require((0.0..=0.9).contains(&self.from), "from", "from 0 to 0.9");
        require((1..=16).contains(&self.max_onsets), "max_onsets", "from 1 to 16");
        require((0.0..=1.0).contains(&self.velocity), "velocity", "from 0 to 1");
        require((0.1..=16.0).contains(&self.gate_steps), "gate_steps", "from 0.1 to 16");
        require((-1.0..=1.0).contains(&self.pan), "pan", "from -1 to 1");
    }
}

impl VoiceSettings {
    fn check(&self, found: &mut Problems) {
        found.require((0.0..=1.0).contains(&self.velocity), "voices.velocity", "from 0 to 1");
        found.require((0.25..=2.0).contains(&self.pace), "voices.pace", "from 0.25 to 2");
        found.require((0.1..=4.0).contains(&self.gate), "voices.gate", "from 0.1 to 4");
        found.require((5.0..=120.0).contains(&self.rare_s), "voices.rare_s", "from 5 to 120");
    }
}
