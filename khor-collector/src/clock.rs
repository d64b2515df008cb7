//! The two clocks; reading them is a vDSO call rather than a system call.

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_BOOTTIME`, nanoseconds: what samples are stamped with. Goes on during suspend.
pub(crate) fn boottime_ns() -> u64 {
    now_ns(ClockId::CLOCK_BOOTTIME)
}

/// `CLOCK_MONOTONIC`, nanoseconds: what timers run by. Stands still during suspend.
pub(crate) fn monotonic_ns() -> u64 {
    now_ns(ClockId::CLOCK_MONOTONIC)
}

fn now_ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock).expect("every Linux has it");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}
