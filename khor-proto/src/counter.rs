//! The counters: their names, units and meanings.

use std::fmt;

use crate::message::Unit;

/// Defines [`Counter`] from a table. Each row contains the variant, the name on the wire, the unit,
/// and one sentence for users.
macro_rules! counters {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $unit:ident, $summary:literal;)+) => {
        /// A counter that khor knows.
        ///
        /// Captures contain the counters in the order of these variants, so append new counters at
        /// the end. Samples on the wire have the order of
        /// [`Welcome::counters`](crate::Welcome::counters) instead. They may contain counters of a
        /// newer collector that this crate does not know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Counter {
            $($(#[$doc])+ $variant,)+
        }

        impl Counter {
            /// All counters. The position of each is its [`index`](Self::index).
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Name on the wire ([`CounterInfo::name`](crate::CounterInfo::name)).
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Unit of the count.
            pub const fn unit(self) -> Unit {
                match self {
                    $(Self::$variant => Unit::$unit,)+
                }
            }

            /// What the counter counts, in one sentence for users.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => $summary,)+
                }
            }
        }
    };
}

counters! {
    /// Successful `execve` calls (`sched_process_exec`).
    Execs = "execs", Count, "Programs that were started.";
    /// New tasks: processes and threads (`task_newtask`).
    Forks = "forks", Count, "Processes and threads that were created.";
    /// Bytes that all devices passed to the network stack, without link-layer headers
    /// (`netif_receive_skb`). A packet counts at each device that it passes. In a scope: bytes that
    /// reached the scope's sockets, including network headers (`sk_filter_trim_cap`).
    RxBytes = "rx_bytes", Bytes, "Bytes received from the network.";
    /// Packets that devices passed to the network stack. In a scope: packets that reached the
    /// scope's sockets. khor counts packets after the kernel has merged them (GRO), so one of them
    /// may stand for several packets on the wire.
    RxPackets = "rx_packets", Count, "Packets received from the network.";
    /// Bytes that the network stack passed to devices, with link-layer headers (`net_dev_xmit`). In
    /// a scope: bytes that the scope's sockets sent, including network headers (`ip_output`,
    /// `ip_mc_output`, `ip6_output`). In a scope each packet counts once, even if it passes several
    /// devices.
    TxBytes = "tx_bytes", Bytes, "Bytes sent to the network.";
    /// Packets that the network stack passed to devices. In a scope: packets that the scope's
    /// sockets sent. A device may split one of these packets into several.
    TxPackets = "tx_packets", Count, "Packets sent to the network.";
    /// Context switches (`sched_switch`).
    Switches = "switches", Count, "Context switches.";
    /// Bytes read from block devices, counted at completion (`block_rq_complete`). A request counts
    /// once, at the disk that does the work. So loop devices and device-mapper's own requests
    /// (multipath) do not count, but each mirror of a RAID 1 does.
    ReadBytes = "read_bytes", Bytes, "Bytes read from block devices.";
    /// Bytes written to block devices, counted at completion.
    WriteBytes = "write_bytes", Bytes, "Bytes written to block devices.";
    /// Read requests that block devices completed (`block_rq_complete`).
    ReadRequests = "read_requests", Count, "Read requests to block devices.";
    /// Write requests that block devices completed.
    WriteRequests = "write_requests", Count, "Write requests to block devices.";
    /// Block requests of any kind that completed with an error.
    IoErrors = "io_errors", Count, "Requests to block devices that failed.";
    /// Total time of all [`Counter::TimedRequests`], each from its issue to its completion, in
    /// nanoseconds. If a request is issued several times, its time starts at the last issue
    /// (`block_rq_issue`).
    LatencyNs = "latency_ns", Nanoseconds, "Total time that requests to block devices took.";
    /// Number of read and write requests whose time is included in [`Counter::LatencyNs`]. The time
    /// of nearly all requests is included.
    TimedRequests = "timed_requests", Count, "Requests to block devices that are included in the total time.";
    /// Retransmitted TCP segments (`tcp_retransmit_skb`, `tcp_retransmit_synack`).
    Retransmits = "retransmits", Count, "TCP segments that were sent again.";
    /// Handled device interrupts (`irq_handler_entry`). Interrupts of the CPU-local timers do not
    /// count.
    Irqs = "irqs", Count, "Interrupts of devices.";
    /// Handled soft interrupts (`softirq_entry`).
    Softirqs = "softirqs", Count, "Soft interrupts.";
    /// Time in microseconds in which at least one task waited for a CPU (line `some` of
    /// `/proc/pressure/cpu`).
    CpuStallUs = "cpu_stall_us", Microseconds, "Time in which at least one task waited for a processor.";
    /// Time in microseconds in which at least one task waited for I/O (line `some` of
    /// `/proc/pressure/io`).
    IoStallUs = "io_stall_us", Microseconds, "Time in which at least one task waited for a disk.";
    /// Time in microseconds in which at least one task waited for memory (line `some` of
    /// `/proc/pressure/memory`).
    MemStallUs = "mem_stall_us", Microseconds, "Time in which at least one task waited for memory.";
    /// Page faults, minor and major (`pgfault` of `/proc/vmstat`).
    Faults = "faults", Count, "Page faults.";
    /// Page faults that waited for a disk (`pgmajfault` of `/proc/vmstat`).
    MajorFaults = "major_faults", Count, "Page faults that read from a disk.";
    /// The part of [`Counter::RxBytes`] that arrived at the machine's edge. The edge consists of
    /// all hardware network devices and, in a guest, the virtual network cards. In a scope this
    /// counter equals [`Counter::RxBytes`].
    EdgeRxBytes = "edge_rx_bytes", Bytes, "Bytes received from outside the machine.";
    /// The part of [`Counter::RxPackets`] that arrived at the machine's edge. In a scope this
    /// counter equals [`Counter::RxPackets`].
    EdgeRxPackets = "edge_rx_packets", Count, "Packets received from outside the machine.";
    /// The part of [`Counter::TxBytes`] that left the machine at its edge. In a scope this counter
    /// equals [`Counter::TxBytes`].
    EdgeTxBytes = "edge_tx_bytes", Bytes, "Bytes sent out of the machine.";
    /// The part of [`Counter::TxPackets`] that left the machine at its edge. In a scope this
    /// counter equals [`Counter::TxPackets`].
    EdgeTxPackets = "edge_tx_packets", Count, "Packets sent out of the machine.";
    /// Bytes that were received by devices which are not at the edge: loopback, veth, bridges,
    /// tunnels. Devices that pass their packets to a bridge or bond do not count, so bridged
    /// traffic counts once. This counter is absent in a scope.
    LocalBytes = "local_bytes", Bytes, "Bytes that stayed inside the machine: loopback, containers, tunnels.";
    /// Packets of [`Counter::LocalBytes`].
    LocalPackets = "local_packets", Count, "Packets that stayed inside the machine.";
    /// Events that the kernel did not pass to one of khor's programs, because this program was
    /// already running on the same CPU. The count is the sum of `recursion_misses` of all programs,
    /// and at most a second old. It is high only if tracepoints can be preempted (`PREEMPT_RT`).
    MissedEvents = "missed_events", Count, "Events that the kernel did not pass to khor's eBPF programs.";
}

impl Counter {
    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The counter with this name on the wire; `None` if this crate does not know the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counter| counter.name() == name)
    }
}

/// Displays the counter as its name on the wire.
impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_finds_its_counter() {
        for (index, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter.index(), index);
            assert_eq!(Counter::from_name(counter.name()), Some(counter));
        }
        assert_eq!(Counter::from_name("unknown"), None);
    }

    #[test]
    fn names_follow_variants_and_end_in_units() {
        for counter in Counter::ALL {
            let variant = format!("{counter:?}").to_lowercase();
            assert_eq!(counter.name().replace('_', ""), variant);
            let unit = match counter.name().rsplit('_').next() {
                Some("bytes") => Unit::Bytes,
                Some("us") => Unit::Microseconds,
                Some("ns") => Unit::Nanoseconds,
                _ => Unit::Count,
            };
            assert_eq!(counter.unit(), unit, "{counter}");
        }
    }
}
