//! Presets: one musical character as a TOML file, its instruments included.

use std::sync::LazyLock;

use serde::Deserialize;

use super::note::{Instrument, Role};
use super::patch::{Patch, PatchError};
use super::scale::Register;

/// A musical character. Built-in ones are files in `khor-engine/presets/`; users add their own in the same form.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Name in config, API and UI: lower case, unique.
    pub name: String,
    /// One sentence for people who choose.
    pub hint: String,
    /// Correction that brings the bed to the common loudness, dB, -24..=24.
    pub trim_db: f32,
    /// Delay of every second step, share of a step, 0..=0.5.
    #[serde(default)]
    pub swing: f32,
    /// The pad.
    pub bed: BedSettings,
    /// Streams of the pulse layer, at most [`MAX_PULSE_STREAMS`].
    pub pulse: Vec<PulseSettings>,
    /// The lines of the families that stand out.
    pub voices: VoiceSettings,
    /// Timbre per role.
    pub patches: Patches,
}

/// More streams than this in one layer melt into each other.
pub const MAX_PULSE_STREAMS: usize = 4;

/// How the bed is played.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BedSettings {
    /// Where the chord lies; at least two octaves less five semitones wide for smooth voice leading.
    pub register: Register,
    /// Loudness of its notes, 0..=1.
    pub velocity: f32,
    /// Loudness of the bass note under the chord, 0..=1; 0 is none.
    pub bass_velocity: f32,
    /// Chord notes played at once, 1..=4.
    pub notes: u8,
    /// Bars between harmony changes, 4..=8.
    pub chord_bars: u8,
    /// Roots as scale degrees; the first is home.
    pub roots: Vec<i32>,
    /// Length of one breath of the pad, seconds, 1..=20; rounded to whole bars.
    pub breath_s: f32,
    /// Time between the chord's notes, steps, 0..=4.
    #[serde(default)]
    pub strum_steps: f32,
}

/// How a stream of the pulse chooses its pitches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Up through the chord, again and again.
    Up,
    /// Up and down.
    UpDown,
    /// The chord's root.
    Root,
    /// A seeded walk among chord notes.
    Walk,
}

/// One stream of the pulse layer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulseSettings {
    /// Whose timbre it has.
    pub role: Role,
    /// Where it lies.
    pub register: Register,
    /// Choice of pitches.
    pub motion: Motion,
    /// Total work at which it begins, 0..=0.9.
    #[serde(default)]
    pub from: f32,
    /// Onsets per bar at full work and density 0.5, 1..=16.
    pub max_onsets: u8,
    /// Loudness, 0..=1.
    pub velocity: f32,
    /// Length of its notes, steps, 0.1..=16.
    pub gate_steps: f32,
    /// -1 (left) ..=1 (right).
    #[serde(default)]
    pub pan: f32,
}

/// How the voices are played.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceSettings {
    /// Loudness, 0..=1.
    pub velocity: f32,
    /// Onsets per bar of a family at full level and density 0.5, 1..=16.
    pub max_onsets: u8,
    /// Length of their notes, share of what the motif asks for, 0.1..=4.
    pub gate: f32,
    /// Seconds between the single notes of an idle machine, on average, 5..=120.
    pub rare_s: f32,
}

/// The timbres: one per role, and one for each voice stream and the cues where they differ from their role's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patches {
    /// Of [`Role::Melody`].
    pub melody: Patch,
    /// Of [`Role::Bass`].
    pub bass: Patch,
    /// Of [`Role::Chords`].
    pub chords: Patch,
    /// Of [`Role::Percussion`].
    pub percussion: Patch,
    /// Of the voice of new processes.
    #[serde(default)]
    pub process: Option<Patch>,
    /// Of the voice of what is received.
    #[serde(default)]
    pub receive: Option<Patch>,
    /// Of the voice of what is sent.
    #[serde(default)]
    pub send: Option<Patch>,
    /// Of the voice of retransmits.
    #[serde(default)]
    pub loss: Option<Patch>,
    /// Of the voice of disks.
    #[serde(default)]
    pub disk: Option<Patch>,
    /// Of the voice of memory.
    #[serde(default)]
    pub memory: Option<Patch>,
    /// Of the voice of the kernel.
    #[serde(default)]
    pub kernel: Option<Patch>,
    /// Of the cues.
    #[serde(default)]
    pub cue: Option<Patch>,
}

impl Patches {
    /// The timbre of an instrument.
    pub fn of(&self, instrument: Instrument) -> &Patch {
        let own = match instrument {
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
            Instrument::Cue => self.cue.as_ref(),
        };
        own.unwrap_or_else(|| self.of(instrument.role().into()))
    }
}

/// Why a preset cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// Not TOML, or not this TOML; the cause names line and field.
    #[error("reading the preset: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A field outside its range.
    #[error("preset {preset}: {field} must be within {range}")]
    Range {
        /// Name of the preset.
        preset: String,
        /// The field.
        field: &'static str,
        /// What is allowed.
        range: &'static str,
    },
    /// A patch field outside its range.
    #[error("preset {preset}: patches.{}.{cause}", .instrument.name())]
    Patch {
        /// Name of the preset.
        preset: String,
        /// Whose patch.
        instrument: Instrument,
        /// The field.
        cause: PatchError,
    },
}

static BUILTIN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    const FILES: [&str; 4] = [
        include_str!("../../presets/ambient.toml"),
        include_str!("../../presets/percussive.toml"),
        include_str!("../../presets/arp.toml"),
        include_str!("../../presets/drone.toml"),
    ];
    FILES.iter().map(|text| Preset::parse(text).expect("built-in presets are parsed by a test")).collect()
});

impl Preset {
    /// The built-in presets; the first is the default.
    pub fn builtin() -> &'static [Self] {
        &BUILTIN
    }

    /// A built-in preset by name.
    pub fn find(name: &str) -> Option<&'static Self> {
        BUILTIN.iter().find(|preset| preset.name == name)
    }

    /// Reads and checks a preset.
    pub fn parse(text: &str) -> Result<Self, PresetError> {
        let preset: Self = toml::from_str(text)?;
        preset.check()?;
        Ok(preset)
    }

    /// Timbres in the order of [`Instrument::ALL`], the preset's trim included.
    pub fn patches(&self) -> [Patch; Instrument::ALL.len()] {
        Instrument::ALL.map(|instrument| {
            let patch = *self.patches.of(instrument);
            Patch { gain_db: patch.gain_db + self.trim_db, ..patch }
        })
    }

    fn check(&self) -> Result<(), PresetError> {
        let Self { name, hint: _, trim_db, swing, bed, pulse, voices, patches } = self;
        let named = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
        self.within(named, "name", "a-z 0-9 - _")?;
        self.within((-24.0..=24.0).contains(trim_db), "trim_db", "-24..=24")?;
        self.within((0.0..=0.5).contains(swing), "swing", "0..=0.5")?;
        self.within(pulse.len() <= MAX_PULSE_STREAMS, "pulse", "at most 4 streams")?;
        self.check_bed(bed)?;
        pulse.iter().try_for_each(|stream| self.check_pulse(stream))?;
        self.within((0.0..=1.0).contains(&voices.velocity), "voices.velocity", "0..=1")?;
        self.within((1..=16).contains(&voices.max_onsets), "voices.max_onsets", "1..=16")?;
        self.within((0.1..=4.0).contains(&voices.gate), "voices.gate", "0.1..=4")?;
        self.within((5.0..=120.0).contains(&voices.rare_s), "voices.rare_s", "5..=120")?;
        for instrument in Instrument::ALL {
            let named = |cause| PresetError::Patch { preset: name.clone(), instrument, cause };
            patches.of(instrument).check().map_err(named)?;
        }
        Ok(())
    }

    fn check_bed(&self, bed: &BedSettings) -> Result<(), PresetError> {
        self.check_register(bed.register, "bed.register")?;
        self.within((0.0..=1.0).contains(&bed.velocity), "bed.velocity", "0..=1")?;
        self.within((0.0..=1.0).contains(&bed.bass_velocity), "bed.bass_velocity", "0..=1")?;
        self.within((1..=4).contains(&bed.notes), "bed.notes", "1..=4")?;
        self.within((4..=8).contains(&bed.chord_bars), "bed.chord_bars", "4..=8")?;
        let near = bed.roots.iter().all(|root| (-12..=12).contains(root));
        self.within(near && !bed.roots.is_empty(), "bed.roots", "one or more degrees of -12..=12")?;
        self.within((1.0..=20.0).contains(&bed.breath_s), "bed.breath_s", "1..=20")?;
        self.within((0.0..=4.0).contains(&bed.strum_steps), "bed.strum_steps", "0..=4")
    }

    fn check_pulse(&self, pulse: &PulseSettings) -> Result<(), PresetError> {
        self.check_register(pulse.register, "pulse.register")?;
        self.within((0.0..=0.9).contains(&pulse.from), "pulse.from", "0..=0.9")?;
        self.within((1..=16).contains(&pulse.max_onsets), "pulse.max_onsets", "1..=16")?;
        self.within((0.0..=1.0).contains(&pulse.velocity), "pulse.velocity", "0..=1")?;
        self.within((0.1..=16.0).contains(&pulse.gate_steps), "pulse.gate_steps", "0.1..=16")?;
        self.within((-1.0..=1.0).contains(&pulse.pan), "pulse.pan", "-1..=1")
    }

    fn check_register(&self, register: Register, field: &'static str) -> Result<(), PresetError> {
        let Register { low, high } = register;
        let fits = low >= 36 && high <= 96 && high >= low + 11;
        self.within(fits, field, "36..=96 and at least an octave wide")
    }

    fn within(&self, ok: bool, field: &'static str, range: &'static str) -> Result<(), PresetError> {
        if ok { Ok(()) } else { Err(PresetError::Range { preset: self.name.clone(), field, range }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_built_in_presets_parse() {
        let names: Vec<&str> = Preset::builtin().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["ambient", "percussive", "arp", "drone"]);
        assert!(Preset::find("arp").is_some() && Preset::find("polka").is_none());
    }

    #[test]
    fn errors_name_the_field_and_the_range() {
        let good = include_str!("../../presets/ambient.toml");
        let error = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            Preset::parse(&good.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert_eq!(
            error("chord_bars = ", "chord_bars = 1"),
            "preset ambient: bed.chord_bars must be within 4..=8"
        );
        assert!(error("hint = ", "hnit = ").contains("hnit"));
        assert!(error("sustain = ", "sustain = 7").contains("sustain must be within 0..=1"));
    }

    #[test]
    fn the_trim_is_part_of_the_patches() {
        let preset = Preset { trim_db: -3.0, ..Preset::builtin()[0].clone() };
        assert_eq!(preset.patches()[0].gain_db, preset.patches.melody.gain_db - 3.0);
    }
}
