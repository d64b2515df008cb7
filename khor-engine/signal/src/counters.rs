//! Defines the frames that a source delivers: counts, and the values of added lanes.

use khor_proto::Counter;

use super::{PerAdded, PerSignal, SIGNALS, SignalId};

/// One value for each counter, in the order of [`Counter::ALL`].
pub type PerCounter<T> = [T; Counter::ALL.len()];

/// Cumulative counts. `None` means that a count is unknown, not that it is zero.
pub type Counters = PerCounter<Option<u64>>;

/// The counts and the values of all added lanes at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Time of the frame on the clock `CLOCK_BOOTTIME` of the host, nanoseconds. In a capture, the
    /// host is the recorded one.
    pub t_ns: u64,
    /// The cumulative counts.
    pub counters: Counters,
    /// The values of the added lanes, each in its lane's unit. A value is the lane's current rate
    /// or amount, not a cumulative count. `None` means that the value is missing, not that it is
    /// zero.
    pub added: PerAdded<Option<f64>>,
}

impl Frame {
    /// A frame without added lanes.
    pub const fn new(t_ns: u64, counters: Counters) -> Self {
        Self { t_ns, counters, added: PerAdded::EMPTY }
    }

    /// Removes the counters of disabled signals. If `rx` or `tx` is disabled, also removes the
    /// corresponding counter of all network devices (`rx_bytes` or `tx_bytes`). Keeps added lanes.
    #[must_use]
    pub fn keep_enabled(mut self, enabled: &PerSignal<bool>) -> Self {
        for info in SIGNALS.iter().filter(|info| !enabled[info.id.index()]) {
            let of_all_devices: &[Counter] = match info.id {
                SignalId::Rx => &[Counter::RxBytes],
                SignalId::Tx => &[Counter::TxBytes],
                _ => &[],
            };
            for counter in info.id.counters().iter().chain(of_all_devices) {
                self.counters[counter.index()] = None;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_disabled_signals_are_missing() {
        let mut enabled = [true; SignalId::COUNT];
        enabled[SignalId::Io.index()] = false;
        enabled[SignalId::Tx.index()] = false;
        let frame = Frame::new(0, [Some(1); Counter::ALL.len()]).keep_enabled(&enabled);
        assert_eq!(frame.counters[Counter::ReadBytes.index()], None);
        for counter in [Counter::EdgeTxBytes, Counter::TxBytes] {
            assert_eq!(frame.counters[counter.index()], None);
        }
        for counter in [Counter::EdgeRxBytes, Counter::RxBytes, Counter::LocalBytes] {
            assert_eq!(frame.counters[counter.index()], Some(1));
        }
    }
}
