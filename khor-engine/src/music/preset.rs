//! Presets: one musical character as a TOML file, its instruments included.

use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use super::mapping::{Mapping, RouteText};
use super::note::{Instrument, Role};
use super::patch::{Patch, PatchError};
use super::scale::Register;

/// A musical character. Built-in ones are files in `khor-engine/presets/`; users add their own in the same form
/// (docs/presets.md).
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Name in config, API and UI: lower case, unique.
    pub name: String,
    /// One sentence for people who choose.
    pub hint: String,
    /// Correction that brings the bed to the common loudness, dB, -24..=24.
    pub trim_db: f32,
    /// Delay of every second step, share of a step, 0..=0.5.
    pub swing: f32,
    /// The pad.
    pub bed: BedSettings,
    /// Streams of the pulse layer, at most [`MAX_PULSE_STREAMS`].
    pub pulse: Vec<PulseSettings>,
    /// The lines of the families that stand out.
    pub voices: VoiceSettings,
    /// The timbres.
    pub patches: Patches,
    /// Which signal moves what: the common contract unless the file carries its own.
    pub mapping: Mapping,
}

/// A preset as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetText {
    name: String,
    hint: String,
    trim_db: f32,
    #[serde(default)]
    swing: f32,
    bed: BedSettings,
    #[serde(default)]
    pulse: Vec<PulseSettings>,
    voices: VoiceSettings,
    patches: Patches,
    map: Option<Vec<Spanned<RouteText>>>,
}

/// The common contract as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingText {
    map: Vec<Spanned<RouteText>>,
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
    /// Onsets, as a factor of what the mapping asks for, 0.25..=2.
    pub pace: f32,
    /// Length of their notes, as a factor of what the stream asks for, 0.1..=4.
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
        self.own(instrument).unwrap_or_else(|| self.of(instrument.role().into()))
    }

    /// Whose patch that is.
    fn owner(&self, instrument: Instrument) -> Instrument {
        if self.own(instrument).is_some() { instrument } else { instrument.role().into() }
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
            Instrument::Cue => self.cue.as_ref(),
        }
    }
}

/// Why a preset cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PresetError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

static STANDARD: LazyLock<Mapping> = LazyLock::new(|| {
    let text = include_str!("../../presets/mapping.toml");
    let lines: MappingText = toml::from_str(text).expect("the common mapping is parsed by a test");
    Mapping::check(&lines.map).ok().expect("the common mapping is linted by a test")
});

static BUILTIN: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    const FILES: [&str; 6] = [
        include_str!("../../presets/ambient.toml"),
        include_str!("../../presets/percussive.toml"),
        include_str!("../../presets/arp.toml"),
        include_str!("../../presets/drone.toml"),
        include_str!("../../presets/choir.toml"),
        include_str!("../../presets/rain.toml"),
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
        let at = |offset: usize| text.get(..offset).map_or(1, |before| 1 + before.matches('\n').count());
        let PresetText { name, hint, trim_db, swing, bed, pulse, voices, patches, map } =
            toml::from_str(text).map_err(|error: toml::de::Error| PresetError {
                line: at(error.span().map_or(0, |span| span.start)),
                problem: error.message().to_owned(),
            })?;
        let mapping = match map {
            None => STANDARD.clone(),
            Some(lines) => Mapping::check(&lines)
                .map_err(|lint| PresetError { line: at(lint.offset), problem: lint.problem })?,
        };
        let preset = Self { name, hint, trim_db, swing, bed, pulse, voices, patches, mapping };
        preset.check().map_err(|broken| PresetError {
            line: line_of(text, &broken.field),
            problem: format!("{} must be within {}", broken.field, broken.range),
        })?;
        Ok(preset)
    }

    /// Timbres in the order of [`Instrument::ALL`], the preset's trim included.
    pub fn patches(&self) -> [Patch; Instrument::ALL.len()] {
        Instrument::ALL.map(|instrument| {
            let patch = *self.patches.of(instrument);
            Patch { gain_db: patch.gain_db + self.trim_db, ..patch }
        })
    }

    fn check(&self) -> Result<(), Broken> {
        let Self { name, hint: _, trim_db, swing, bed, pulse, voices, patches, mapping: _ } = self;
        let named = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
        within(named, "name", "a-z 0-9 - _")?;
        within((-24.0..=24.0).contains(trim_db), "trim_db", "-24..=24")?;
        within((0.0..=0.5).contains(swing), "swing", "0..=0.5")?;
        within(pulse.len() <= MAX_PULSE_STREAMS, "pulse", "at most 4 streams")?;
        bed.check()?;
        for (index, stream) in pulse.iter().enumerate() {
            stream
                .check()
                .map_err(|broken| Broken { field: format!("pulse.{index}.{}", broken.field), ..broken })?;
        }
        voices.check()?;
        for instrument in Instrument::ALL {
            patches.of(instrument).check().map_err(|error: PatchError| Broken {
                field: format!("patches.{}.{}", patches.owner(instrument).name(), error.field),
                range: format!("{}..={}", error.low, error.high),
            })?;
        }
        Ok(())
    }
}

/// A field outside its range.
#[derive(Debug)]
struct Broken {
    /// Dotted path; streams of the pulse by their number.
    field: String,
    range: String,
}

fn within(holds: bool, field: &str, range: &str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { field: field.to_owned(), range: range.to_owned() }) }
}

fn in_reach(register: Register, field: &str) -> Result<(), Broken> {
    let Register { low, high } = register;
    within(low >= 36 && high <= 96 && high >= low + 11, field, "36..=96 and at least an octave wide")
}

impl BedSettings {
    fn check(&self) -> Result<(), Broken> {
        in_reach(self.register, "bed.register")?;
        within((0.0..=1.0).contains(&self.velocity), "bed.velocity", "0..=1")?;
        within((0.0..=1.0).contains(&self.bass_velocity), "bed.bass_velocity", "0..=1")?;
        within((1..=4).contains(&self.notes), "bed.notes", "1..=4")?;
        within((4..=8).contains(&self.chord_bars), "bed.chord_bars", "4..=8")?;
        let near = self.roots.iter().all(|root| (-12..=12).contains(root));
        within(near && !self.roots.is_empty(), "bed.roots", "one or more degrees of -12..=12")?;
        within((1.0..=20.0).contains(&self.breath_s), "bed.breath_s", "1..=20")?;
        within((0.0..=4.0).contains(&self.strum_steps), "bed.strum_steps", "0..=4")
    }
}

impl PulseSettings {
    fn check(&self) -> Result<(), Broken> {
        in_reach(self.register, "register")?;
        within((0.0..=0.9).contains(&self.from), "from", "0..=0.9")?;
        within((1..=16).contains(&self.max_onsets), "max_onsets", "1..=16")?;
        within((0.0..=1.0).contains(&self.velocity), "velocity", "0..=1")?;
        within((0.1..=16.0).contains(&self.gate_steps), "gate_steps", "0.1..=16")?;
        within((-1.0..=1.0).contains(&self.pan), "pan", "-1..=1")
    }
}

impl VoiceSettings {
    fn check(&self) -> Result<(), Broken> {
        within((0.0..=1.0).contains(&self.velocity), "voices.velocity", "0..=1")?;
        within((0.25..=2.0).contains(&self.pace), "voices.pace", "0.25..=2")?;
        within((0.1..=4.0).contains(&self.gate), "voices.gate", "0.1..=4")?;
        within((5.0..=120.0).contains(&self.rare_s), "voices.rare_s", "5..=120")
    }
}

/// Line of a field, from 1: the checks know fields, people look for lines. The line of its table where the field
/// itself is written in another form, 1 where even that is.
fn line_of(text: &str, field: &str) -> usize {
    let (table, key) = field.rsplit_once('.').unwrap_or(("", field));
    let (mut here, mut stream, mut of_table) = (String::new(), 0, 1);
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.split(']').next()) {
            here = format!("{name}.{stream}");
            stream += usize::from(name == "pulse");
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.clone_into(&mut here);
        }
        if here == table {
            of_table = if line.starts_with('[') { index + 1 } else { of_table };
            if line.split('=').next().is_some_and(|written| written.trim() == key) {
                return index + 1;
            }
        }
    }
    of_table
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

    const GOOD: &str = include_str!("../../presets/ambient.toml");

    /// What is said about a built-in preset with one thing changed, and the line where that stands.
    fn error(from: &str, to: &str) -> (String, usize) {
        let at = GOOD.find(from).unwrap_or_else(|| panic!("{from}"));
        let error = Preset::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.to_string(), format!("line {}: {}", error.line, error.problem));
        (error.problem, error.line.abs_diff(GOOD[..at].lines().count().max(1)))
    }

    #[test]
    fn errors_name_the_line_the_field_and_the_range() {
        let (problem, off) = error("\nchord_bars = ", "\nchord_bars = 1");
        assert_eq!((problem.as_str(), off), ("bed.chord_bars must be within 4..=8", 1));
        let (problem, off) = error("hint = ", "hnit = ");
        assert!(problem.contains("hnit") && off == 1, "{problem} {off}");
        let (problem, off) = error("\nsustain = ", "\nsustain = 7");
        assert!(
            problem.contains("patches.melody.sustain must be within 0..=1") && off == 1,
            "{problem} {off}"
        );
        let (problem, off) = error("register = { low = 62", "register = { low = 20");
        assert!(problem.contains("pulse.0.register must be within 36..=96") && off == 1, "{problem} {off}");
    }

    #[test]
    fn half_a_file_is_an_error_with_a_line() {
        for cut in 1..GOOD.len() {
            if let Err(error) = Preset::parse(&GOOD[..cut]) {
                assert!(error.line >= 1 && error.line <= GOOD.lines().count() + 1);
                assert!(!error.problem.is_empty());
            }
        }
    }

    #[test]
    fn the_rules_of_the_mapping_are_kept() {
        let said = |rows: &str| {
            let text = format!("{GOOD}\n{rows}");
            let error = Preset::parse(&text).expect_err(rows);
            assert!(error.line > GOOD.lines().count(), "{error}");
            error.problem
        };
        let row = |signal: &str, to: &str, more: &str| {
            format!("[[map]]\nsignal = \"{signal}\"\nto = \"{to}\"\n{more}\n")
        };
        let good = row("rx", "voices.receive.density", "range = [0, 9]");
        assert!(Preset::parse(&format!("{GOOD}\n{good}")).is_ok());
        for (rows, expected) in [
            (row("xr", "pulse.density", "range = [0, 16]"), "no signal xr"),
            (row("rx", "pulse.density", "range = [0, 4]"), "4.0 audible steps, expected at least 8"),
            (row("rx", "pulse.density", "range = [0, 99]"), "within [0, 16]"),
            (row("rx", "voices.receive.loudness", "range = [0, 9]"), "no feature voices.receive.loudness"),
            (row("csw", "pulse.height", "range = [0, 9]"), "only its deviation"),
            (row("rx", "room.reverb", "range = [0, 1]"), "carried by room.reverb alone"),
            (
                format!("{good}{}", row("tx", "voices.receive.density", "range = [0, 9]")),
                "no two signals on one",
            ),
            (row("rx", "pulse.density", "range = [0, 16]\ncurve = \"wavy\""), "wavy"),
        ] {
            let problem = said(&rows);
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn all_built_in_presets_share_the_contract() {
        for preset in Preset::builtin() {
            assert_eq!(preset.mapping, *STANDARD, "{}", preset.name);
        }
    }

    #[test]
    fn the_trim_is_part_of_the_patches() {
        let preset = Preset { trim_db: -3.0, ..Preset::builtin()[0].clone() };
        assert_eq!(preset.patches()[0].gain_db, preset.patches.melody.gain_db - 3.0);
    }
}
