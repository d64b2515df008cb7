//! Reads the clocks of samples and timers, by vDSO calls instead of system calls.

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_BOOTTIME`, nanoseconds: the clock of samples, which also runs during suspend.
pub(crate) fn boottime_ns() -> u64 {
    now_ns(ClockId::CLOCK_BOOTTIME)
}

/// `CLOCK_MONOTONIC`, nanoseconds: the clock of timers. It stops during suspend.
pub(crate) fn monotonic_ns() -> u64 {
    now_ns(ClockId::CLOCK_MONOTONIC)
}

fn now_ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock).expect("every Linux has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}
