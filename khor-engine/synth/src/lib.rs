//! The synthesizer, which turns notes into samples without I/O. Functions marked "real-time safe"
//! run on the audio thread. They do not allocate, lock, or call the kernel.
//!
//! Signal flow: `queue` → `bank` → buses → `effects` → `limiter` → mute. The `bank` has 24 voices
//! in groups of eight `lanes`; each voice is `oscillator` → `envelope` → `svf`. In `effects`, the
//! sung share first passes through the `vowel_filter`, which is set to a `vowel`. Then `delay`,
//! `reverb`, master gain and DC block follow. A render can also return the sound of each role as a
//! `stem`.
//!
//! The sound is computed in blocks of 32 frames, counted from the start. So the samples do not
//! depend on how many frames the caller requests at a time. Eight voices are computed together as
//! arrays, because the compiler then uses vector instructions.

#![expect(
    clippy::inline_always,
    reason = "code is compiled for AVX2 only if it is inlined into `Synth::block` (see `avx2`)"
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

/// Filter cutoff of a note, Hz, before envelope and brightness are applied. It depends on the
/// velocity, and on the distance of the pitch from middle C. Real-time safe.
fn filter_note_cutoff(patch: &khor_music::Patch, midi: u8, velocity: f32) -> f32 {
    let octaves = patch.key_follow * (f32::from(midi) - 60.0) / 12.0 + 0.8 * (velocity - 0.5);
    patch.cutoff_hz * octaves.exp2()
}
