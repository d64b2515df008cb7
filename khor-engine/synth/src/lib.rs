//! From notes to samples: real-time safe after construction, free of I/O.
//!
//! `queue` → `bank` of 24 voices in groups of eight `lanes` (`oscillator` → `envelope` → `svf`) → buses → `effects` (the
//! sung share through the `vowel` of the `choir`; `delay` and `reverb`, on `ring`s; `master` gain and DC block) →
//! `limiter` → mute. For renders, each role's share of it can be had as a `stem`. Everything is computed in blocks of 32
//! frames that are counted from the start, whatever lengths are asked for, so the same notes give the same samples.
//! A voice as an object with virtual parts was rejected: arrays of eight let the compiler use vector instructions.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the block is not compiled for AVX2 (see `wide`)"
)]

mod bank;
mod choir;
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
mod wide;

#[cfg(test)]
mod tests;

pub use engine::{Meter, Synth, Volume};
pub use from_music::SYNTH_SEED;
pub use offline::{Offline, OfflineSettings, Timeline};
pub use performance::{Performance, Sounding};
pub use queue::SynthNote;
pub use stem::Samples;

/// Cutoff of a note before envelope and brightness, Hz: follows its pitch (around middle C) and its velocity.
/// Any thread; no allocation.
fn filter_note_cutoff(patch: &khor_music::Patch, midi: u8, velocity: f32) -> f32 {
    let octaves = patch.key_follow * (f32::from(midi) - 60.0) / 12.0 + 0.8 * (velocity - 0.5);
    patch.cutoff_hz * octaves.exp2()
}
