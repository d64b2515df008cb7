//! Reads the clocks that samples and timers use. The vDSO reads these clocks without system calls.

use nix::time::{ClockId, clock_gettime};

/// Reads `CLOCK_BOOTTIME`, in nanoseconds. Samples use this clock, because it also runs while the
/// machine is suspended.
pub(crate) fn boottime_ns() -> u64 {
    now_ns(ClockId::CLOCK_BOOTTIME)
}

/// Reads `CLOCK_MONOTONIC`, in nanoseconds. Timers use this clock. It stops while the machine is
/// suspended.
pub(crate) fn monotonic_ns() -> u64 {
    now_ns(ClockId::CLOCK_MONOTONIC)
}

fn now_ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock).expect("every Linux has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}
