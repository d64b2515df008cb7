//! Where music becomes sound: the composer's notes, placed on the synth's frames.

use khor_music::Note;

use super::SynthNote;

/// Seed of the synth's own randomness (noise, phases): fixed, so that renders repeat.
pub const SYNTH_SEED: u64 = 1;

impl SynthNote {
    /// `note`, beginning at `onset_frame` of a synth that runs at `sample_rate_hz`.
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
