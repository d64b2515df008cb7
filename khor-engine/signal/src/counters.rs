//! The counters a source delivers, and one frame of them.

use khor_proto::{Unit, counter};

use super::{PerSignal, SIGNALS, SignalId};

/// A cumulative count, as every source delivers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of khor_proto::counter, documented there")]
pub enum Counter {
    Execs,
    Forks,
    RxBytes,
    RxPackets,
    TxBytes,
    TxPackets,
    Switches,
    ReadBytes,
    WriteBytes,
    ReadRequests,
    WriteRequests,
    IoErrors,
    LatencyNs,
    TimedRequests,
    Retransmits,
    Irqs,
    Softirqs,
    CpuStallUs,
    IoStallUs,
    MemStallUs,
    Faults,
    MajorFaults,
    EdgeRxBytes,
    EdgeRxPackets,
    EdgeTxBytes,
    EdgeTxPackets,
    LocalBytes,
    LocalPackets,
    MissedEvents,
}

impl Counter {
    /// All counters, in the order of [`Counters`].
    pub const ALL: [Self; 29] = [
        Self::Execs,
        Self::Forks,
        Self::RxBytes,
        Self::RxPackets,
        Self::TxBytes,
        Self::TxPackets,
        Self::Switches,
        Self::ReadBytes,
        Self::WriteBytes,
        Self::ReadRequests,
        Self::WriteRequests,
        Self::IoErrors,
        Self::LatencyNs,
        Self::TimedRequests,
        Self::Retransmits,
        Self::Irqs,
        Self::Softirqs,
        Self::CpuStallUs,
        Self::IoStallUs,
        Self::MemStallUs,
        Self::Faults,
        Self::MajorFaults,
        Self::EdgeRxBytes,
        Self::EdgeRxPackets,
        Self::EdgeTxBytes,
        Self::EdgeTxPackets,
        Self::LocalBytes,
        Self::LocalPackets,
        Self::MissedEvents,
    ];

    /// Position in [`Counters`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Execs => counter::EXECS,
            Self::Forks => counter::FORKS,
            Self::RxBytes => counter::RX_BYTES,
            Self::RxPackets => counter::RX_PACKETS,
            Self::TxBytes => counter::TX_BYTES,
            Self::TxPackets => counter::TX_PACKETS,
            Self::Switches => counter::SWITCHES,
            Self::ReadBytes => counter::READ_BYTES,
            Self::WriteBytes => counter::WRITE_BYTES,
            Self::ReadRequests => counter::READ_REQUESTS,
            Self::WriteRequests => counter::WRITE_REQUESTS,
            Self::IoErrors => counter::IO_ERRORS,
            Self::LatencyNs => counter::LATENCY_NS,
            Self::TimedRequests => counter::TIMED_REQUESTS,
            Self::Retransmits => counter::RETRANSMITS,
            Self::Irqs => counter::IRQS,
            Self::Softirqs => counter::SOFTIRQS,
            Self::CpuStallUs => counter::CPU_STALL_US,
            Self::IoStallUs => counter::IO_STALL_US,
            Self::MemStallUs => counter::MEM_STALL_US,
            Self::Faults => counter::FAULTS,
            Self::MajorFaults => counter::MAJOR_FAULTS,
            Self::EdgeRxBytes => counter::EDGE_RX_BYTES,
            Self::EdgeRxPackets => counter::EDGE_RX_PACKETS,
            Self::EdgeTxBytes => counter::EDGE_TX_BYTES,
            Self::EdgeTxPackets => counter::EDGE_TX_PACKETS,
            Self::LocalBytes => counter::LOCAL_BYTES,
            Self::LocalPackets => counter::LOCAL_PACKETS,
            Self::MissedEvents => counter::MISSED_EVENTS,
        }
    }

    /// Unit of the count.
    pub const fn unit(self) -> Unit {
        match self {
            Self::RxBytes
            | Self::TxBytes
            | Self::EdgeRxBytes
            | Self::EdgeTxBytes
            | Self::LocalBytes
            | Self::ReadBytes
            | Self::WriteBytes => Unit::Bytes,
            Self::CpuStallUs | Self::IoStallUs | Self::MemStallUs => Unit::Microseconds,
            Self::LatencyNs => Unit::Nanoseconds,
            _ => Unit::Count,
        }
    }

    /// The counter of that name, if this engine knows it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counter| counter.name() == name)
    }
}

/// One value for every counter, in the order of [`Counter::ALL`].
pub type PerCounter<T> = [T; Counter::ALL.len()];

/// Cumulative counts; `None` is "not known", never zero.
pub type Counters = PerCounter<Option<u64>>;

/// All counters at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `CLOCK_BOOTTIME`, or the same clock of the machine a capture was recorded on, nanoseconds.
    pub t_ns: u64,
    /// The counts.
    pub counters: Counters,
}

impl Frame {
    /// Removes the counters of signals that are off. If `rx` or `tx` is off, also removes the bytes
    /// that all devices received or sent.
    #[must_use]
    pub fn keep_enabled(mut self, heard: &PerSignal<bool>) -> Self {
        for info in SIGNALS.iter().filter(|info| !heard[info.id.index()]) {
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
        let frame = Frame { t_ns: 0, counters: [Some(1); Counter::ALL.len()] }.keep_enabled(&heard);
        assert_eq!(frame.counters[Counter::ReadBytes.index()], None);
        for counter in [Counter::EdgeTxBytes, Counter::TxBytes] {
            assert_eq!(frame.counters[counter.index()], None);
        }
        for counter in [Counter::EdgeRxBytes, Counter::RxBytes, Counter::LocalBytes] {
            assert_eq!(frame.counters[counter.index()], Some(1));
        }
    }

    #[test]
    fn counter_names_and_indices_round_trip() {
        for (index, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter.index(), index);
            assert_eq!(Counter::from_name(counter.name()), Some(counter));
        }
        assert_eq!(Counter::from_name("unheard_of"), None);
    }
}
