//! Turns notes into samples. Real-time safe after construction, free of I/O.
//!
//! `queue` → `bank` of 24 voices in groups of eight `lanes` (`oscillator` → `envelope` → `svf`) →
//! buses → `effects` → `limiter` → mute. In `effects`, the sung share goes through the `vowel` of
//! the `vowel_filter`. `delay` and `reverb` use `ring`s, and `master` has the gain and the DC
//! block. Renders can also return each role's share of the sound as a `stem`.
//!
//! The sound is computed in blocks of 32 frames, counted from the start. The same notes therefore
//! give the same samples, whatever lengths the caller requests. Rejected: a voice as an object with
//! virtual parts. Arrays of eight let the compiler use vector instructions.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the block is not compiled for AVX2 (see `wide`)"
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

/// Cutoff of a note before envelope and brightness, Hz. It follows the note's pitch (around middle
/// C) and velocity. Any thread; no allocation.
fn filter_note_cutoff(patch: &khor_music::Patch, midi: u8, velocity: f32) -> f32 {
    let octaves = patch.key_follow * (f32::from(midi) - 60.0) / 12.0 + 0.8 * (velocity - 0.5);
    patch.cutoff_hz * octaves.exp2()
}
