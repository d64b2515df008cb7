//! Counts: one element per CPU for the machine, one per scope and CPU for scopes.
//!
//! The programs count into one element per CPU of a memory-mapped array. The collector maps the same pages and
//! adds the CPUs up, so a sample costs no system call and needs no capability.

use crate::CueKind;

/// Name of the array map of [`CpuCounters`], indexed by CPU number.
pub const COUNTERS_MAP: &str = "COUNTERS";
/// Name of the array map of [`ScopeCounters`], indexed by scope number × possible CPUs + CPU number.
pub const SCOPE_COUNTERS_MAP: &str = "SCOPE_COUNTERS";

/// Where a count stands in [`CpuCounters`] and [`ScopeCounters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Slot {
    /// Successful `execve` calls.
    Execs,
    /// New tasks.
    Forks,
    /// Bytes received by all devices, without link-layer header. In a scope: by its sockets, from
    /// the network header on.
    RxBytes,
    /// Packets received.
    RxPackets,
    /// Bytes sent by all devices, with link-layer header. In a scope: by its sockets, from the
    /// network header on.
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
    /// Time from the last issue to completion of the requests in [`Slot::TimedRequests`] together, nanoseconds.
    LatencyNs,
    /// Read and write requests whose issue and completion were both seen.
    TimedRequests,
    /// TCP segments sent again.
    Retransmits,
    /// Device interrupts.
    Irqs,
    /// Soft interrupts.
    Softirqs,
    /// The part of [`Slot::RxBytes`] that came in at the machine's edge.
    EdgeRxBytes,
    /// Packets of [`Slot::EdgeRxBytes`].
    EdgeRxPackets,
    /// The part of [`Slot::TxBytes`] that went out at the machine's edge.
    EdgeTxBytes,
    /// Packets of [`Slot::EdgeTxBytes`].
    EdgeTxPackets,
    /// Bytes received by devices that are not at the edge and not ports of a bridge or bond.
    LocalBytes,
    /// Packets of [`Slot::LocalBytes`].
    LocalPackets,
}

impl Slot {
    /// Number of slots.
    pub const COUNT: usize = Self::LocalPackets as usize + 1;
}

/// One CPU's counts since the programs were loaded, and what the collector asks of that CPU's programs.
///
/// Aligned to whole cache lines, so that no two CPUs ever write to the same one.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct CpuCounters {
    /// The counts, indexed by [`Slot`]; written by that CPU alone.
    pub slots: [u64; Slot::COUNT],
    /// [`Wish`], written by the collector.
    pub wish: u64,
    /// Cues that this CPU had to drop, indexed by [`CueKind`].
    pub lost: [u64; CueKind::COUNT],
    /// Events of sockets that carry a class id or priority in place of their cgroup (before 5.15).
    pub tagged_sockets: u64,
}

/// One scope's counts on one CPU since the programs were loaded, indexed by [`Slot`].
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct ScopeCounters {
    /// The counts.
    pub slots: [u64; Slot::COUNT],
}

/// What the programs do beyond counting; a word of [`CpuCounters`], the same in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish(pub u64);

impl Wish {
    /// Somebody wants cues of program starts.
    pub const EXEC_CUES: u64 = 1;
    /// There are scopes to count for.
    pub const SCOPES: u64 = 2;
    const GENERATION_SHIFT: u32 = 8;

    /// These flags with the number of the present table of scopes.
    pub const fn new(flags: u64, generation: u64) -> Self {
        Self(flags | generation << Self::GENERATION_SHIFT)
    }

    /// Whether all of `flags` are set.
    #[inline(always)]
    pub const fn has(self, flags: u64) -> bool {
        self.0 & flags == flags
    }

    /// Number of the present table of scopes; its lowest bit says which of the two it is.
    #[inline(always)]
    pub const fn generation(self) -> u64 {
        self.0 >> Self::GENERATION_SHIFT
    }
}
