//! Uses AVX2 if the processor supports it. The rendering code is compiled twice, and the synth
//! chooses a version when it is created.
//!
//! Linux distributions compile programs for the oldest x86-64 processors, whose vectors hold only
//! four numbers. With AVX2, a vector holds all eight voices of a group. Fused multiply-add stays
//! disabled, so that both versions give the same samples. Crates such as `multiversion` and `pulp`
//! were rejected, because [`Avx2::run`] is all that khor needs.

/// Whether to use AVX2. This value is only true if the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(bool);

impl Avx2 {
    /// Checks whether the processor has AVX2. Not real-time safe.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        let found = std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let found = false;
        Self(found)
    }

    /// Selects the version without AVX2, which runs on every processor.
    #[cfg(test)]
    pub(super) const fn disabled() -> Self {
        Self(false)
    }

    /// Calls `work`, using AVX2 if the processor has it. AVX2 is only used in code that is inlined
    /// into `work`. Real-time safe.
    #[inline(always)]
    pub(super) fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        if self.0 {
            // SAFETY: the value is only true if `detect` has found AVX2.
            return unsafe { with_avx2(work) };
        }
        work()
    }
}

/// Calls `work` with AVX2. The processor must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
