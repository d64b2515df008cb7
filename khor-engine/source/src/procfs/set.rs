//! Sets a counter in an array of counters.

use khor_signal::{Counter, Counters};

/// Sets a counter; `None` marks it as missing.
pub(super) fn set(counters: &mut Counters, counter: Counter, value: Option<u64>) {
    counters[counter.index()] = value;
}
