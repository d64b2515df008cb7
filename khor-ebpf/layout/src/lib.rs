//! Memory layout shared by the in-kernel programs and the collector; `no_std`, no dependencies.
//!
//! The programs count into one element per CPU of a memory-mapped array. The collector maps the same pages
//! read-only and adds the CPUs up, so a sample costs no system call and needs no capability.
#![no_std]

/// Name of the array map of [`CpuCounters`], indexed by CPU number.
pub const COUNTERS_MAP: &str = "COUNTERS";

/// Where a count stands in [`CpuCounters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Slot {
    /// Successful `execve` calls.
    Execs,
    /// New tasks.
    Forks,
    /// Bytes received, without link-layer header.
    RxBytes,
    /// Packets received.
    RxPackets,
    /// Bytes sent, with link-layer header.
    TxBytes,
    /// Packets sent.
    TxPackets,
    /// Context switches.
    Switches,
    /// Bytes read from block devices.
    ReadBytes,
    /// Bytes written to block devices.
    WriteBytes,
    /// Read requests issued.
    ReadRequests,
    /// Write requests issued.
    WriteRequests,
    /// Block requests that failed.
    IoErrors,
    /// TCP segments sent again.
    Retransmits,
    /// Device interrupts.
    Irqs,
}

impl Slot {
    /// Number of slots in use.
    pub const COUNT: usize = Self::Irqs as usize + 1;
}

/// Slots allocated: a whole number of 64-byte cache lines, so that no two CPUs ever write to the same one.
pub const SLOTS: usize = Slot::COUNT.next_multiple_of(8);

/// One CPU's counts since the programs were loaded, indexed by [`Slot`]; written by that CPU alone.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct CpuCounters {
    /// The counts.
    pub slots: [u64; SLOTS],
}

const _: () = assert!(size_of::<CpuCounters>() == SLOTS * size_of::<u64>());

/// Names of the read-only globals that carry what differs between kernels; the collector sets them from BTF.
pub mod global {
    /// Offset of `sk_buff.len`, bytes.
    pub const SKB_LEN_OFFSET: &str = "SKB_LEN_OFFSET";
    /// Offset of `tcp_skb_cb.tcp_gso_segs` within the `sk_buff` whose `cb` holds it, bytes.
    pub const SKB_GSO_SEGS_OFFSET: &str = "SKB_GSO_SEGS_OFFSET";
    /// Offset of `request.cmd_flags`, bytes.
    pub const REQUEST_CMD_FLAGS_OFFSET: &str = "REQUEST_CMD_FLAGS_OFFSET";
    /// Offset of `irqaction.next`, bytes.
    pub const IRQACTION_NEXT_OFFSET: &str = "IRQACTION_NEXT_OFFSET";
    /// 1 if `tcp_retransmit_skb` has a third argument, the result of the transmission; else 0.
    pub const RETRANSMIT_HAS_RESULT: &str = "RETRANSMIT_HAS_RESULT";
}
