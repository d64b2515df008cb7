//! The pulse of a site's sections: each plays its own work, from its own bench, with a timbre of its own.
//!
//! Density and brightness mean what they mean for one machine. The height doesn't: here it says which section it is.

use super::cast::{Bench, SECTIONS};
use super::harmony::Chord;
use super::mapping::Mapping;
use super::moment::Moment;
use super::note::{Note, Role};
use super::preset::{Preset, PulseSettings};
use super::pulse::{Line, work};
use super::reading::Reading;
use khor_signal::{Lanes, SignalId};

/// Where their streams of chance begin, apart from those of the preset's own pulse.
const FIRST_STREAM: u8 = 16;

/// How much softer a bench's pulse is than the same role elsewhere: several may play at once, and what is told with the soloist's
/// voice must be heard above its own section's work (docs/ear.md, "with what").
const SOFTER: f32 = 0.6;

/// What is read of each section, and the onsets per bar it is at.
#[derive(Clone, Debug)]
pub(super) struct Sections {
    readings: [Reading; SECTIONS],
    onsets: [u8; SECTIONS],
    /// Notes of the chord in a bench's register; kept only to reuse its memory.
    notes: Vec<u8>,
}

impl Sections {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let readings = std::array::from_fn(|_| Reading::new(mapping));
        Self { readings, onsets: [0; SECTIONS], notes: Vec::new() }
    }

    pub(super) fn remap(&mut self, mapping: &Mapping) {
        self.readings.iter_mut().for_each(|reading| reading.remap(mapping));
    }

    /// Takes the lanes of one step; an empty bench is at rest.
    pub(super) fn update(&mut self, lanes: &[Option<Lanes>; SECTIONS], smoothing: f32, elapsed_s: f32) {
        for (reading, lanes) in self.readings.iter_mut().zip(lanes) {
            reading.update(&lanes.unwrap_or([None; SignalId::COUNT]), None, smoothing, elapsed_s);
        }
    }

    /// Called on every step.
    pub(super) fn step(&mut self, moment: &Moment<'_>, chord: Chord, out: &mut Vec<Note>) {
        for (index, bench) in Bench::ALL.iter().enumerate() {
            let settings = settings(moment.preset, bench);
            let line = Line {
                index: FIRST_STREAM + index as u8,
                settings: &settings,
                onsets: &mut self.onsets[index],
            };
            let moment = moment.reading_of(&self.readings[index]);
            out.extend(line.step(&moment, chord, work(&moment), 0, &mut self.notes));
        }
    }
}

/// A bench's pulse: its notes are like those that the preset has of that role elsewhere, and softer.
fn settings(preset: &Preset, bench: &Bench) -> PulseSettings {
    let Bench { role, register, pan, motion, max_onsets } = *bench;
    let own = preset.pulse.iter().find(|stream| stream.role == role);
    let (velocity, gate_steps) = own.map_or_else(
        || match role {
            Role::Melody => (preset.voices.velocity, 1.6 * preset.voices.gate),
            Role::Chords => (preset.bed.velocity, 12.0),
            Role::Bass | Role::Percussion => (preset.voices.velocity, 3.0),
        },
        |stream| (stream.velocity, stream.gate_steps),
    );
    PulseSettings {
        role,
        register,
        motion,
        from: 0.0,
        max_onsets,
        velocity: SOFTER * velocity,
        gate_steps,
        pan,
    }
}
