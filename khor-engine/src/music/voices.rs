//! The voices: short motifs for the one or two signal families that stand out, each family in its own place.

use crate::signal::{Family, SignalId};

use super::composer::Moment;
use super::harmony::Chord;
use super::note::{Layer, Note, Role};
use super::pulse::density_factor;
use super::reading::{FAMILIES, FAMILY_STEPS};
use super::rhythm::{STEPS, accent, hit, hits_before};
use super::scale::Register;
use super::seeded::{Dice, Stream};

/// Voices at once; more melt into each other.
const AT_ONCE: usize = 2;
/// Standing (of `FAMILY_STEPS`) at which a family speaks, and below which it stops.
const ENTER: u8 = 2;
/// How much higher a silent family must stand to replace a speaking one.
const REPLACE: u8 = 2;
/// Half bars a voice speaks at least.
const HOLD: u8 = 4;
/// Where single notes of an idle machine lie.
const RARE: Register = Register { low: 62, high: 76 };

/// Place and timbre of a family: the same in every preset, so that learning one teaches all.
struct Seat {
    role: Role,
    register: Register,
    pan: f32,
    /// Share of the preset's onsets: low and long timbres speak more slowly.
    pace: f32,
    /// Rotation of the rhythm: families interlock instead of playing at once.
    rotation: u8,
}

const fn seat(family: Family) -> Seat {
    let (role, low, high, pan, pace, rotation) = match family {
        Family::Process => (Role::Percussion, 72, 86, 0.25, 1.0, 2),
        Family::Network => (Role::Melody, 62, 77, -0.5, 1.0, 0),
        Family::Disk => (Role::Bass, 41, 53, 0.4, 0.8, 0),
        Family::Memory => (Role::Chords, 50, 62, -0.2, 0.5, 4),
        Family::Kernel => (Role::Melody, 55, 67, 0.5, 1.0, 6),
    };
    Seat { role, register: Register { low, high }, pan, pace, rotation }
}

/// A signal's gesture: contour in scale steps that returns home, length of its notes in steps,
/// and whether every note is stuttered.
struct Motif {
    contour: [i32; 6],
    gate_steps: f32,
    stutter: bool,
}

const fn motif(signal: SignalId) -> Motif {
    let (contour, gate_steps, stutter) = match signal {
        SignalId::Exec => ([0, 1, 2, 4, 2, 0], 0.9, false),
        SignalId::Fork => ([0, 0, 2, 2, 1, 1], 0.9, false),
        SignalId::Rx => ([4, 3, 2, 1, 2, 0], 2.0, false),
        SignalId::Tx => ([0, 1, 2, 3, 2, 4], 2.0, false),
        SignalId::Retx => ([3, 3, 1, 3, 3, 0], 0.6, true),
        SignalId::Io => ([0, 0, 2, 0, 0, 1], 1.5, false),
        SignalId::Stall => ([0, -1, 0, -2, -1, 0], 3.0, false),
        SignalId::Mem => ([0, -1, 1, -1, 0, -2], 4.0, false),
        SignalId::Cpu | SignalId::Csw | SignalId::Irq => ([0, 2, 1, 2, 0, -1], 1.2, false),
    };
    Motif { contour, gate_steps, stutter }
}

/// A family that speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Speaker {
    /// Position in `FAMILIES`.
    family: usize,
    /// Half bars since its entry.
    age: u8,
}

/// State of the voices: who speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Voices {
    speaking: [Option<Speaker>; AT_ONCE],
    /// The single note of this bar on an idle machine.
    rare_step: Option<u8>,
}

impl Voices {
    /// Called on every step.
    pub(super) fn step(&mut self, moment: &Moment<'_>, chord: Chord, out: &mut Vec<Note>) {
        if moment.step.is_multiple_of(8) {
            self.choose(moment, chord, out);
        }
        for speaker in self.speaking.into_iter().flatten() {
            speak(speaker, moment, chord, out);
        }
        self.rare(moment, chord, out);
    }

    /// Decides who speaks: leavers first, then entries and replacements by standing.
    fn choose(&mut self, moment: &Moment<'_>, chord: Chord, out: &mut Vec<Note>) {
        let standing = |family: usize| moment.reading.family(family);
        for slot in &mut self.speaking {
            let Some(speaker) = slot else { continue };
            speaker.age = speaker.age.saturating_add(1);
            if standing(speaker.family) < ENTER && speaker.age >= HOLD {
                out.push(cadence(speaker.family, moment, chord));
                *slot = None;
            }
        }
        for family in 0..FAMILIES.len() {
            if standing(family) < ENTER || self.speaking.iter().flatten().any(|s| s.family == family) {
                continue;
            }
            let entry = Some(Speaker { family, age: 0 });
            if let Some(free) = self.speaking.iter_mut().find(|slot| slot.is_none()) {
                *free = entry;
                continue;
            }
            let weakest = self.speaking.iter_mut().min_by_key(|s| s.map_or(0, |s| standing(s.family)));
            if let Some(slot) = weakest
                && slot.is_some_and(|s| s.age >= HOLD && standing(s.family) + REPLACE <= standing(family))
            {
                *slot = entry;
            }
        }
    }

    /// Now and then a single soft note while nothing works: the machine is there, and idle.
    fn rare(&mut self, moment: &Moment<'_>, chord: Chord, out: &mut Vec<Note>) {
        let idle = moment.reading.work() == 0 && self.speaking.iter().all(Option::is_none);
        if moment.step == 0 {
            let mut dice = Dice::new(moment.seed, moment.bar, Stream::Rare);
            let chance = moment.bar_s() as f32 / moment.preset.voices.rare_s;
            self.rare_step = (idle && dice.chance(chance)).then(|| dice.below(8) as u8 * 2);
        }
        if idle && self.rare_step == Some(moment.step) {
            let mut dice = Dice::new(!moment.seed, moment.bar, Stream::Rare);
            let target = i32::from(RARE.low) + dice.below(15) as i32;
            out.push(Note {
                onset_s: moment.onset_s,
                duration_s: 4.0 * moment.step_s as f32,
                midi: RARE.fold(chord.nearest(moment.key, target)),
                velocity: moment.preset.voices.velocity * 0.45,
                pan: 0.3 * dice.bipolar(),
                brightness: 0.0,
                role: Role::Melody,
                instrument: Role::Melody.into(),
                layer: Layer::Voices,
                signal: None,
            });
        }
    }
}

fn speak(speaker: Speaker, moment: &Moment<'_>, chord: Chord, out: &mut Vec<Note>) {
    let settings = &moment.preset.voices;
    let standing = f32::from(moment.reading.family(speaker.family)) / f32::from(FAMILY_STEPS);
    let seat = seat(FAMILIES[speaker.family]);
    let most = f32::from(settings.max_onsets) * seat.pace * density_factor(moment.density);
    let onsets = ((standing * most).ceil() as u8).clamp(1, STEPS);
    if !hit(moment.step, onsets, seat.rotation) {
        return;
    }
    let signal = moment.reading.leader(FAMILIES[speaker.family]);
    let motif = motif(signal);
    // The motif goes on over the bar line of each pair of bars, then comes home and begins again.
    let earlier = if moment.bar.is_multiple_of(2) { 0 } else { usize::from(onsets) };
    let place = (hits_before(moment.step, onsets, seat.rotation) + earlier) % motif.contour.len();
    let variation =
        Dice::new(moment.seed, moment.bar / 8, Stream::Voice(speaker.family as u8)).below(3) as i32;
    let middle = seat.register.middle() + 2 * (variation - 1);
    let home = moment.key.degree_below(chord.nearest(moment.key, middle));
    let mut midi = moment.key.midi(home + motif.contour[place]);
    if moment.step.is_multiple_of(8) {
        midi = chord.nearest(moment.key, midi);
    }
    let entry = if speaker.age < 2 { 1.15 } else { 1.0 };
    let note = Note {
        onset_s: moment.onset_s,
        duration_s: motif.gate_steps * settings.gate * moment.step_s as f32,
        midi: seat.register.fold(midi),
        velocity: (settings.velocity * accent(moment.step) * (0.7 + 0.3 * standing) * entry).clamp(0.0, 1.0),
        pan: seat.pan,
        brightness: 0.0,
        role: seat.role,
        instrument: seat.role.into(),
        layer: Layer::Voices,
        signal: Some(signal),
    };
    out.push(note);
    if motif.stutter {
        let later = 0.5 * moment.step_s;
        out.push(Note { onset_s: note.onset_s + later, velocity: 0.7 * note.velocity, ..note });
    }
}

/// A voice's last note: long, and home. Exits are missed unless they are told.
fn cadence(family: usize, moment: &Moment<'_>, chord: Chord) -> Note {
    let seat = seat(FAMILIES[family]);
    Note {
        onset_s: moment.onset_s,
        duration_s: 6.0 * moment.step_s as f32,
        midi: seat.register.fold(moment.key.midi(chord.degrees[0])),
        velocity: 0.6 * moment.preset.voices.velocity,
        pan: seat.pan,
        brightness: 0.0,
        role: seat.role,
        instrument: seat.role.into(),
        layer: Layer::Voices,
        signal: Some(moment.reading.leader(FAMILIES[family])),
    }
}
