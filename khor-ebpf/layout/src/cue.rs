//! Cues: records of rare kernel events in a ring buffer, at a limited rate.

/// Name of the ring buffer that contains [`CueRecord`]s.
pub const CUES_MAP: &str = "CUES";
/// Size of the ring buffer of cues, in bytes. The kernel requires a power of two and whole pages.
pub const CUES_BYTES: u32 = 64 * 1024;

/// The kind of event in a [`CueRecord`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CueKind {
    /// The kernel killed a process because memory ran out.
    Oom,
    /// A signal that causes a core dump ended a process.
    Crash,
    /// A block request failed.
    BlockError,
    /// TCP retransmitted at least [`BURST_SEGMENTS`] segments within [`BURST_WINDOW_NS`].
    RetransmitBurst,
    /// A program started. Sent only while [`crate::Wish::EXEC_CUES`] is set.
    Exec,
}

impl CueKind {
    /// Number of kinds.
    pub const COUNT: usize = Self::Exec as usize + 1;
    /// All kinds. The index of each kind is its number.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Oom, Self::Crash, Self::BlockError, Self::RetransmitBurst, Self::Exec];
}

/// One cue: an event in the kernel.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CueRecord {
    /// Time of the event (`CLOCK_BOOTTIME`), in nanoseconds.
    pub t_ns: u64,
    /// Id of the cgroup to which the process, socket or request belongs; 0 if unknown.
    pub cgroup_id: u64,
    /// Scopes that the event belongs to, one bit each; 0 if there are none.
    pub scopes: u64,
    /// Number of the [`CueKind`].
    pub kind: u32,
    /// Number of the process (thread group) of the event; 0 if unknown.
    pub pid: u32,
    /// For a crash, the number of the signal. For a burst, the number of segments so far. Otherwise
    /// 0.
    pub detail: u32,
    /// Unused; always zero.
    pub padding: u32,
    /// Name of the process, followed by a zero byte; empty if unknown.
    pub comm: [u8; 16],
}

/// Average time between two cues of a kind at the rate limit, in nanoseconds. It permits 20 cues a
/// second.
pub const NANOSECONDS_PER_CUE: u64 = 50_000_000;

/// Maximum number of cues of one kind in a burst, before the rate limit applies. It is higher for
/// program starts, because they are only displayed and make no sound.
pub const fn burst_cues(kind: CueKind) -> u64 {
    match kind {
        CueKind::Exec => 200,
        _ => 20,
    }
}

/// Number of retransmitted segments that count as a burst.
pub const BURST_SEGMENTS: u64 = 32;
/// Length of the time window in which retransmitted segments are counted, in nanoseconds. At most
/// one burst is reported in each window.
pub const BURST_WINDOW_NS: u64 = 1_000_000_000;
