//! Plays the pulses of a site's sections. Each section's pulse represents the work of that section,
//! and has its own part.
//!
//! Density and brightness have the same meaning as in the pulse of a single host. Pitch has another
//! meaning: it identifies the section.

use khor_signal::Lanes;

use super::{
    cast::{SECTIONS, SectionPart},
    harmony::Chord,
    mapping::Mapping,
    note::{Note, Role},
    preset::{Preset, PulseSettings},
    pulse::{PulseLine, work},
    reading::Reading,
    step_context::StepContext,
};

/// Random stream of the first section; each further section uses the next one. The pulse of the
/// preset uses streams with lower numbers.
const FIRST_STREAM: u8 = 16;

/// Velocity of a section's pulse, relative to the preset's notes of the same role. The factor is
/// below 1 because several sections may play at once. In addition, the voice of a soloist must be
/// audible above its own section's pulse (docs/ear.md, "site: load").
const VELOCITY_FACTOR: f32 = 0.6;

/// The state of the sections' pulses: the input and the current onsets per bar of each section.
#[derive(Clone, Debug)]
pub(super) struct Sections {
    readings: [Reading; SECTIONS],
    onsets: [u8; SECTIONS],
    /// Buffer for the chord's notes, kept between steps so that its memory is reused.
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

    /// Updates each section's input from the lanes of one step. A section without lanes is silent.
    pub(super) fn update(&mut self, lanes: &[Option<Lanes>; SECTIONS], smoothing: f32, elapsed_s: f32) {
        for (reading, lanes) in self.readings.iter_mut().zip(lanes) {
            reading.update(lanes.as_ref().unwrap_or(const { &Lanes::NONE }), None, smoothing, elapsed_s);
        }
    }

    /// Plays one step of the sections' pulses. While the cast has this kind of pulse, the composer
    /// calls this function on every step.
    pub(super) fn step(&mut self, context: &StepContext<'_>, chord: Chord, out: &mut Vec<Note>) {
        for (index, part) in SectionPart::ALL.iter().enumerate() {
            let settings = settings(context.preset, part);
            let line = PulseLine {
                index: FIRST_STREAM + index as u8,
                settings: &settings,
                onsets: &mut self.onsets[index],
            };
            let context = context.with_reading(&self.readings[index]);
            out.extend(line.step(&context, chord, work(&context), 0, &mut self.notes));
        }
    }
}

/// The pulse settings of a section. Note length and velocity come from the preset's settings for
/// the section's role. The velocity is then multiplied by [`VELOCITY_FACTOR`].
fn settings(preset: &Preset, part: &SectionPart) -> PulseSettings {
    let SectionPart { role, register, pan, motion, max_onsets } = *part;
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
        velocity: VELOCITY_FACTOR * velocity,
        gate_steps,
        pan,
    }
}
