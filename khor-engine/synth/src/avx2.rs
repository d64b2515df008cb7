//! Uses AVX2 if the processor has it. The code is compiled twice, and the synth chooses a version
//! when it is created.
//!
//! Distributions build for the oldest x86-64, whose vectors hold four numbers. Vectors of AVX2 hold
//! the eight voices of a group. Fused multiply-add stays disabled, so that both versions give the
//! same samples. Crates for this purpose (multiversion, pulp) were rejected, because one function
//! is enough.

/// Whether the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(bool);

impl Avx2 {
    /// Queries the processor. Not real-time safe.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        let found = std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let found = false;
        Self(found)
    }

    /// The version without AVX2, which runs on every processor.
    #[cfg(test)]
    pub(super) const fn disabled() -> Self {
        Self(false)
    }

    /// Calls `work`, with AVX2 if available. Only code that is inlined into `work` uses AVX2.
    /// Real-time safe.
    #[inline(always)]
    pub(super) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        if self.0 {
            // SAFETY: only `detect` creates a value that is true, after it found AVX2.
            return unsafe { with_avx2(work) };
        }
        work()
    }
}

/// Calls `work` with AVX2, which the processor must have.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
