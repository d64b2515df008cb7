//! The synthesizer: turns notes into samples, without I/O. Functions that are marked "real-time
//! safe" run on the audio thread; they do not allocate, lock, or call the kernel.
//!
//! Signal flow: `queue` → `bank` of 24 voices in groups of eight `lanes` (`oscillator` → `envelope`
//! → `svf`) → buses → `effects` → `limiter` → mute. In `effects`, the sung share passes the `vowel`
//! of the `vowel_filter`, followed by `delay`, `reverb`, master gain and DC block. A render can
//! also return each role's share of the sound as a `stem`.
//!
//! The sound is computed in blocks of 32 frames, counted from the start. So the same notes give the
//! same samples, whatever lengths the caller requests. Voices are arrays of eight rather than
//! single objects, because the compiler then uses vector instructions.

#![expect(
    clippy::inline_always,
    reason = "only code that is inlined into the block is compiled for AVX2 (see `avx2`)"
)]

mod avx2;
mod bank;
mod delay;
mod effects;
mod engine;
mod envelope;
mod fm;
mod from_music;
mod group;
mod lanes;
mod limiter;
mod master;
mod noise;
mod offline;
mod oscillator;
mod performance;
mod phase;
mod queue;
mod reverb;
mod ring;
mod stem;
mod svf;
mod vibrato;
mod vowel;
mod vowel_filter;

#[cfg(test)]
mod tests;

pub use self::{
    engine::{Meter, Synth, Volume},
    from_music::SYNTH_SEED,
    offline::{Offline, OfflineSettings, Timeline},
    performance::{Performance, RenderMode},
    queue::SynthNote,
    stem::Samples,
};

/// Filter cutoff of a note without envelope and brightness, Hz. It depends on the note's pitch
/// (relative to middle C) and velocity. Real-time safe.
fn filter_note_cutoff(patch: &khor_music::Patch, midi: u8, velocity: f32) -> f32 {
    let octaves = patch.key_follow * (f32::from(midi) - 60.0) / 12.0 + 0.8 * (velocity - 0.5);
    patch.cutoff_hz * octaves.exp2()
}
