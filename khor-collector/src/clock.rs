//! The clock samples are stamped with.

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_BOOTTIME`, nanoseconds. A vDSO read: no system call.
pub(crate) fn boottime_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).expect("every Linux has CLOCK_BOOTTIME");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}
