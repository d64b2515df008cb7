//! Creates the timers that the sources use.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// Time between two searches for a unit that does not run, or for unreadable counters in `/proc`,
/// milliseconds.
pub(super) const SEARCH_INTERVAL_MS: u16 = 1000;

/// Creates a timer that ticks every `interval_ms` milliseconds. It skips ticks that were missed.
pub(super) fn ticks(interval_ms: u16) -> Interval {
    let mut ticks = interval(Duration::from_millis(u64::from(interval_ms)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
