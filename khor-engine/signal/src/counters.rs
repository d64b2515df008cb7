//! The frames that a source delivers: counters, and the values of added lanes.

use khor_proto::Counter;

use super::{PerAdded, PerSignal, SIGNALS, SignalId};

/// One value for every counter, in the order of [`Counter::ALL`].
pub type PerCounter<T> = [T; Counter::ALL.len()];

/// Cumulative counts; `None` is an unknown count, never zero.
pub type Counters = PerCounter<Option<u64>>;

/// All counters and all added lanes at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// `CLOCK_BOOTTIME`, or the same clock of the machine a capture was recorded on, nanoseconds.
    pub t_ns: u64,
    /// The counts.
    pub counters: Counters,
    /// The values of the added lanes, each in its lane's own unit. A value is not a count: it is
    /// the lane's rate or amount at this instant. `None` is a missing value, never zero.
    pub added: PerAdded<Option<f64>>,
}

impl Frame {
    /// A frame without added lanes.
    pub const fn new(t_ns: u64, counters: Counters) -> Self {
        Self { t_ns, counters, added: PerAdded::EMPTY }
    }

    /// Removes the counters of signals that are off. If `rx` or `tx` is off, also removes the bytes
    /// that all devices received or sent. Keeps added lanes.
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
        let mut heard = [true; SignalId::COUNT];
        heard[SignalId::Io.index()] = false;
        heard[SignalId::Tx.index()] = false;
        let frame = Frame::new(0, [Some(1); Counter::ALL.len()]).keep_enabled(&heard);
        assert_eq!(frame.counters[Counter::ReadBytes.index()], None);
        for counter in [Counter::EdgeTxBytes, Counter::TxBytes] {
            assert_eq!(frame.counters[counter.index()], None);
        }
        for counter in [Counter::EdgeRxBytes, Counter::RxBytes, Counter::LocalBytes] {
            assert_eq!(frame.counters[counter.index()], Some(1));
        }
    }
}
