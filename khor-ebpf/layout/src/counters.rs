//! The counters: one element for each CPU for the machine, and one for each scope and CPU.
//!
//! The programs add to the element of their CPU, in a memory-mapped array. The collector maps the
//! same pages and sums the CPUs, so a sample costs no system call and needs no capability.

use crate::CueKind;

/// Name of the array map of [`CpuCounters`], indexed by CPU number.
pub const COUNTERS_MAP: &str = "COUNTERS";
/// Name of the array map of [`ScopeCounters`], indexed by scope number × possible CPUs + CPU
/// number.
pub const SCOPE_COUNTERS_MAP: &str = "SCOPE_COUNTERS";

/// Index of a count in [`CpuCounters`] and [`ScopeCounters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Slot {
    /// Successful `execve` calls.
    Execs,
    /// New tasks.
    Forks,
    /// Bytes received by all devices, without link-layer header. In a scope, bytes received by its
    /// sockets, from the network header on.
    RxBytes,
    /// Packets received.
    RxPackets,
    /// Bytes sent by all devices, with link-layer header. In a scope, bytes sent by its sockets,
    /// from the network header on.
    TxBytes,
    /// Packets sent.
    TxPackets,
    /// Context switches.
    Switches,
    /// Bytes read from block devices.
    ReadBytes,
    /// Bytes written to block devices.
    WriteBytes,
    /// Read requests completed.
    ReadRequests,
    /// Write requests completed.
    WriteRequests,
    /// Block requests that failed.
    IoErrors,
    /// Total time of the requests in [`Slot::TimedRequests`] from the last issue to completion, ns.
    LatencyNs,
    /// Read and write requests whose issue and completion were both observed.
    TimedRequests,
    /// TCP segments sent again.
    Retransmits,
    /// Device interrupts.
    Irqs,
    /// Soft interrupts.
    Softirqs,
    /// The part of [`Slot::RxBytes`] that arrived at the machine's edge.
    EdgeRxBytes,
    /// Packets of [`Slot::EdgeRxBytes`].
    EdgeRxPackets,
    /// The part of [`Slot::TxBytes`] that left at the machine's edge.
    EdgeTxBytes,
    /// Packets of [`Slot::EdgeTxBytes`].
    EdgeTxPackets,
    /// Bytes received by devices that are neither at the edge nor ports of a bridge or bond.
    LocalBytes,
    /// Packets of [`Slot::LocalBytes`].
    LocalPackets,
}

impl Slot {
    /// Number of slots.
    pub const COUNT: usize = Self::LocalPackets as usize + 1;
}

/// One CPU's counts since the programs were loaded, and the collector's request to that CPU's
/// programs.
///
/// Aligned to whole cache lines, so that two CPUs never write to the same line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct CpuCounters {
    /// The counts, indexed by [`Slot`]. Only this CPU writes them.
    pub slots: [u64; Slot::COUNT],
    /// The collector's request, a [`Wish`].
    pub wish: u64,
    /// Cues that this CPU dropped, indexed by [`CueKind`].
    pub lost: [u64; CueKind::COUNT],
    /// Events of sockets that carried a class id or priority in place of their cgroup (before
    /// 5.15).
    pub tagged_sockets: u64,
}

/// One scope's counts on one CPU since the programs were loaded.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct ScopeCounters {
    /// The counts, indexed by [`Slot`].
    pub slots: [u64; Slot::COUNT],
}

/// The collector's request to the programs, which says what to do in addition to counting. It is
/// one word of each [`CpuCounters`], with the same value in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish(pub u64);

impl Wish {
    /// Flag: send cues of program starts.
    pub const EXEC_CUES: u64 = 1;
    /// Flag: count for the scopes in the current table.
    pub const SCOPES: u64 = 2;
    const GENERATION_SHIFT: u32 = 8;

    /// Combines flags with the number of the current table of scopes.
    pub const fn new(flags: u64, generation: u64) -> Self {
        Self(flags | generation << Self::GENERATION_SHIFT)
    }

    /// Whether all of `flags` are set.
    #[inline(always)]
    pub const fn has(self, flags: u64) -> bool {
        self.0 & flags == flags
    }

    /// Number of the current table of scopes. Its lowest bit selects one of the two tables.
    #[inline(always)]
    pub const fn generation(self) -> u64 {
        self.0 >> Self::GENERATION_SHIFT
    }
}
