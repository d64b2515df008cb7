//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// Waits until `holds`, looking every few milliseconds; panics with `what` after `patience`. Returns how long it
/// took.
pub fn wait_until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "waited {patience:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}
