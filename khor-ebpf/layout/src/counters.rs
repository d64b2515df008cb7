//! The counters in shared memory. The machine has one array element for each CPU. Each scope also
//! has one element for each CPU.
//!
//! The elements are in memory-mapped arrays. Each program adds to the element of the CPU on which
//! it runs. The collector maps the same memory and sums over the CPUs. So a sample needs no system
//! call and no capability.

use crate::CueKind;

/// Name of the array map of [`CpuCounters`], indexed by CPU number.
pub const COUNTERS_MAP: &str = "COUNTERS";
/// Name of the array map of [`ScopeCounters`], indexed by scope number × number of possible CPUs +
/// CPU number.
pub const SCOPE_COUNTERS_MAP: &str = "SCOPE_COUNTERS";

/// Index of a count in [`CpuCounters`] and [`ScopeCounters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Slot {
    /// Successful `execve` calls.
    Execs,
    /// New tasks.
    Forks,
    /// Bytes that all devices received, without link-layer headers. In a scope, bytes that the
    /// scope's sockets received, including network headers.
    RxBytes,
    /// Packets received.
    RxPackets,
    /// Bytes that all devices sent, with link-layer headers. In a scope, bytes that the scope's
    /// sockets sent, including network headers.
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
    /// Total time of the requests in [`Slot::TimedRequests`], each from its last issue to its
    /// completion, in nanoseconds.
    LatencyNs,
    /// Read and write requests whose issue and completion were both observed.
    TimedRequests,
    /// Retransmitted TCP segments.
    Retransmits,
    /// Device interrupts.
    Irqs,
    /// Soft interrupts.
    Softirqs,
    /// The part of [`Slot::RxBytes`] that arrived at the machine's edge.
    EdgeRxBytes,
    /// Packets of [`Slot::EdgeRxBytes`].
    EdgeRxPackets,
    /// The part of [`Slot::TxBytes`] that left the machine at its edge.
    EdgeTxBytes,
    /// Packets of [`Slot::EdgeTxBytes`].
    EdgeTxPackets,
    /// Bytes that were received by devices which are neither at the edge nor ports of a bridge or
    /// bond.
    LocalBytes,
    /// Packets of [`Slot::LocalBytes`].
    LocalPackets,
}

impl Slot {
    /// Number of slots.
    pub const COUNT: usize = Self::LocalPackets as usize + 1;
}

/// The counts of one CPU since the programs were loaded. Also contains the collector's request to
/// the programs on this CPU.
///
/// The alignment ensures that two CPUs never write to the same cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct CpuCounters {
    /// The counts, indexed by [`Slot`]. Only this CPU writes them.
    pub slots: [u64; Slot::COUNT],
    /// The collector's request; see [`Wish`].
    pub wish: u64,
    /// Number of cues that were dropped on this CPU, indexed by [`CueKind`].
    pub lost: [u64; CueKind::COUNT],
    /// Number of events whose socket had a class id or priority instead of its cgroup. Zero since
    /// Linux 5.15.
    pub tagged_sockets: u64,
}

/// One scope's counts on one CPU since the programs were loaded.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct ScopeCounters {
    /// The counts, indexed by [`Slot`].
    pub slots: [u64; Slot::COUNT],
}

/// The collector's request to the programs: the tasks besides counting for the machine. The
/// collector writes the same request to the [`CpuCounters`] of every CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish(pub u64);

impl Wish {
    /// Flag: send cues for program starts.
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
