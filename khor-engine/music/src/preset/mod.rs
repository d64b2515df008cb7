//! Defines presets. A preset is a musical character with its instruments and mapping. The module
//! `text` reads and writes presets, and `check` checks the ranges of their fields.

mod check;
mod parse_error;
mod text;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::text::{PresetError, PresetText};
use super::{
    mapping::Mapping,
    note::{Instrument, Role},
    patch::Patch,
    scale::Register,
};

/// A preset is a musical character. The built-in presets are the files in
/// `khor-engine/music/presets/`. Users can add their own presets in the same format
/// (docs/presets.md).
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Unique name in lower case, used in the configuration, in the API and on the page.
    pub name: String,
    /// One sentence that describes the sound to users who choose a preset.
    pub hint: String,
    /// Gain of all notes, dB, -24..=24. With this gain, the beds of all presets have the same
    /// loudness.
    pub trim_db: f32,
    /// Swing: the delay of every second step, as a share of a step, 0..=0.5.
    pub swing: f32,
    /// Settings of the bed.
    pub bed: BedSettings,
    /// Settings of the pulse's streams, at most [`MAX_PULSE_STREAMS`].
    pub pulse: Vec<PulseSettings>,
    /// Settings of the voices.
    pub voices: VoiceSettings,
    /// The timbres of all instruments.
    pub patches: Patches,
    /// Which signal controls which feature. It is the file's own mapping or the standard mapping.
    pub mapping: Mapping,
}

/// Maximum number of pulse streams. Listeners could not distinguish more streams in one layer.
pub const MAX_PULSE_STREAMS: usize = 4;

/// The settings of the bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BedSettings {
    /// Register of the chord. For smooth voice leading, it should be at least 19 semitones wide.
    pub register: Register,
    /// Velocity of the notes of the chord, 0..=1.
    #[schemars(range(min = 0, max = 1))]
    pub velocity: f32,
    /// Velocity of the bass note, which lies below the chord, 0..=1. At 0, there is no bass note.
    #[schemars(range(min = 0, max = 1))]
    pub bass_velocity: f32,
    /// Number of notes of the chord, 1..=4.
    #[schemars(range(min = 1, max = 4))]
    pub notes: u8,
    /// Number of bars between changes of harmony, 4..=8.
    #[schemars(range(min = 4, max = 8))]
    pub chord_bars: u8,
    /// Roots of the chords, as 1 to 64 scale degrees. Every fourth chord has the first root.
    #[schemars(length(min = 1, max = check::MAX_ROOTS), inner(range(min = -12, max = 12)))]
    pub roots: Vec<i32>,
    /// Length of one swell of the pad, seconds, 1..=20. It is rounded to whole bars.
    #[schemars(range(min = 1, max = 20))]
    pub breath_s: f32,
    /// Strum: the time between the onsets of the chord's notes, steps, 0..=4.
    #[serde(default)]
    #[schemars(range(min = 0, max = 4))]
    pub strum_steps: f32,
}

/// How a stream of the pulse chooses its pitches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Rises through the notes of the chord, then starts again at the lowest note.
    Up,
    /// Rises and falls through the notes of the chord.
    UpDown,
    /// Plays only the root of the chord.
    Root,
    /// Plays the notes of the chord in a random order, which changes in each phrase.
    Walk,
}

/// The settings of one stream of the pulse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PulseSettings {
    /// Role, which selects the timbre.
    pub role: Role,
    /// Register of the notes.
    pub register: Register,
    /// How the stream chooses its pitches.
    pub motion: Motion,
    /// The stream plays when total work is above this value, 0..=0.9.
    #[serde(default)]
    #[schemars(range(min = 0, max = 0.9))]
    pub from: f32,
    /// Number of onsets per bar at full work and density 0.5, 1..=16.
    #[schemars(range(min = 1, max = 16))]
    pub max_onsets: u8,
    /// Velocity of the notes, 0..=1.
    #[schemars(range(min = 0, max = 1))]
    pub velocity: f32,
    /// Length of the notes, steps, 0.1..=16.
    #[schemars(range(min = 0.1, max = 16))]
    pub gate_steps: f32,
    /// Pan, from -1 (left) to 1 (right).
    #[serde(default)]
    #[schemars(range(min = -1, max = 1))]
    pub pan: f32,
}

/// The settings of the voices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoiceSettings {
    /// Velocity of the notes, 0..=1.
    #[schemars(range(min = 0, max = 1))]
    pub velocity: f32,
    /// Factor by which the mapping's onsets per bar are multiplied, 0.25..=2.
    #[schemars(range(min = 0.25, max = 2))]
    pub pace: f32,
    /// Factor by which note lengths are multiplied, 0.1..=4. It applies to the stream's own note
    /// length and to the mapping's.
    #[schemars(range(min = 0.1, max = 4))]
    pub gate: f32,
    /// Mean time between the single notes that an idle host plays, seconds, 5..=120.
    #[schemars(range(min = 5, max = 120))]
    pub rare_s: f32,
}

/// The timbres. Every role has a timbre; a voice stream or the cues may also have one. An
/// instrument without a timbre of its own uses the timbre of its role.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patches {
    /// The timbre of [`Role::Melody`].
    pub melody: Patch,
    /// The timbre of [`Role::Bass`].
    pub bass: Patch,
    /// The timbre of [`Role::Chords`].
    pub chords: Patch,
    /// The timbre of [`Role::Percussion`].
    pub percussion: Patch,
    /// The timbre of the voice that plays new processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Patch>,
    /// The timbre of the voice that plays received traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<Patch>,
    /// The timbre of the voice that plays sent traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Patch>,
    /// The timbre of the voice that plays retransmits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Patch>,
    /// The timbre of the voice that plays disk activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Patch>,
    /// The timbre of the voice that plays memory activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Patch>,
    /// The timbre of the voice that plays kernel activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Patch>,
    /// The timbre of the voice that plays local traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Patch>,
    /// The timbre of the cues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cue: Option<Patch>,
}

impl Patches {
    /// The timbre of an instrument.
    pub fn get(&self, instrument: Instrument) -> &Patch {
        self.own(instrument).unwrap_or_else(|| self.get(instrument.role().into()))
    }

    fn own(&self, instrument: Instrument) -> Option<&Patch> {
        match instrument {
            Instrument::Melody => Some(&self.melody),
            Instrument::Bass => Some(&self.bass),
            Instrument::Chords => Some(&self.chords),
            Instrument::Percussion => Some(&self.percussion),
            Instrument::Process => self.process.as_ref(),
            Instrument::Receive => self.receive.as_ref(),
            Instrument::Send => self.send.as_ref(),
            Instrument::Loss => self.loss.as_ref(),
            Instrument::Disk => self.disk.as_ref(),
            Instrument::Memory => self.memory.as_ref(),
            Instrument::Kernel => self.kernel.as_ref(),
            Instrument::Local => self.local.as_ref(),
            Instrument::Cue => self.cue.as_ref(),
        }
    }
}

static BUILTIN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    const FILES: [&str; 6] = [
        include_str!("../../presets/ambient.toml"),
        include_str!("../../presets/percussive.toml"),
        include_str!("../../presets/arp.toml"),
        include_str!("../../presets/drone.toml"),
        include_str!("../../presets/choir.toml"),
        include_str!("../../presets/rain.toml"),
    ];
    FILES.iter().map(|text| Preset::parse(text).expect("a test parses the built-in presets")).collect()
});

impl Preset {
    /// The built-in presets. The first one is the default.
    pub fn builtin() -> &'static [Self] {
        &BUILTIN
    }

    /// Finds the built-in preset with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        BUILTIN.iter().find(|preset| preset.name == name)
    }

    /// The patches in the order of [`Instrument::ALL`]. Their gains include the preset's trim.
    pub fn patches(&self) -> [Patch; Instrument::ALL.len()] {
        Instrument::ALL.map(|instrument| {
            let patch = *self.patches.get(instrument);
            Patch { gain_db: patch.gain_db + self.trim_db, ..patch }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_presets_parse() {
        let names: Vec<&str> = Preset::builtin().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["ambient", "percussive", "arp", "drone", "choir", "rain"]);
        assert!(Preset::find("arp").is_some() && Preset::find("polka").is_none());
    }

    #[test]
    fn patches_include_the_preset_trim() {
        let preset = Preset { trim_db: -3.0, ..Preset::builtin()[0].clone() };
        assert_eq!(preset.patches()[0].gain_db, preset.patches.melody.gain_db - 3.0);
    }
}
