//! The kernel counters that include khor's own traffic.

use khor_signal::Counter;

/// The kernel counters that include khor's own traffic, in the order of [`Amounts`].
pub(super) const COUNTERS: [Counter; 6] = [
    Counter::EdgeRxBytes,
    Counter::EdgeRxPackets,
    Counter::EdgeTxBytes,
    Counter::EdgeTxPackets,
    Counter::LocalBytes,
    Counter::LocalPackets,
];

/// Amounts of traffic in bytes or packets: one for each counter in [`COUNTERS`].
pub(super) type Amounts = [u64; COUNTERS.len()];
