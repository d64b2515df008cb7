//! Converts the composer's notes into the synth's notes, in frames.

use khor_music::Note;

use super::SynthNote;

/// Seed of the synth's random numbers (noise, phases). It is fixed, so that renders are repeatable.
pub const SYNTH_SEED: u64 = 1;

impl SynthNote {
    /// Converts `note`, which begins at `onset_frame` of a synth with `sample_rate_hz`.
    pub fn new(note: &Note, onset_frame: u64, sample_rate_hz: u32) -> Self {
        Self {
            onset_frame,
            duration_frames: (f64::from(note.duration_s) * f64::from(sample_rate_hz)) as u64,
            midi: note.midi,
            velocity: note.velocity,
            pan: note.pan,
            brightness: note.brightness,
            instrument: note.instrument,
            role: note.role,
        }
    }
}
