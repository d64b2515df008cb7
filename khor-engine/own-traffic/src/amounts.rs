//! The counters that include own traffic.

use khor_signal::Counter;

/// The counters that include own traffic, in the order of [`Amounts`].
pub(super) const COUNTERS: [Counter; 6] = [
    Counter::EdgeRxBytes,
    Counter::EdgeRxPackets,
    Counter::EdgeTxBytes,
    Counter::EdgeTxPackets,
    Counter::LocalBytes,
    Counter::LocalPackets,
];

/// A count for each of [`COUNTERS`].
pub(super) type Amounts = [u64; COUNTERS.len()];
