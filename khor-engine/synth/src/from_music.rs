//! Converts the composer's notes into the synth's notes, in frames.

use khor_music::Note;

use super::SynthNote;

/// Seed of the synth's random numbers, which determine noise and phases. It is constant, so that
/// renders can be repeated.
pub const SYNTH_SEED: u64 = 1;

impl SynthNote {
    /// Converts `note` into a note of a synth with this sample rate. `onset_frame` is the frame at
    /// which the note begins.
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
