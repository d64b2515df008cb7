//! Uses the widest vectors of the processor: the same code compiled twice, chosen when the synth is
//! created.
//!
//! Distributions build for the first x86-64, whose vectors hold four numbers; AVX2's hold the eight voices of a
//! group. Fused multiply-add is left off on purpose: without it both versions give the same samples.
//! Crates that do this (multiversion, pulp) were rejected: all that is needed is one function.

/// Whether this processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(bool);

impl Avx2 {
    /// Queries the processor. Not for the audio thread.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        let found = std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let found = false;
        Self(found)
    }

    /// The version every processor can run.
    #[cfg(test)]
    pub(super) const fn disabled() -> Self {
        Self(false)
    }

    /// Does the work; what is inlined into it is compiled for what the processor has.
    /// Audio thread; no allocation.
    #[inline(always)]
    pub(super) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        if self.0 {
            // SAFETY: only `detect` makes a true one, and it found AVX2.
            return unsafe { with_avx2(work) };
        }
        work()
    }
}

/// Does the work with AVX2, which the processor must have.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
