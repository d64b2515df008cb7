//! Cues: kernel events worth a sound, as records in a ring buffer, at a bounded rate.

/// Name of the ring buffer of [`CueRecord`].
pub const CUES_MAP: &str = "CUES";
/// Its size: a power of two and a whole number of pages.
pub const CUES_BYTES: u32 = 64 * 1024;

/// What a [`CueRecord`] tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CueKind {
    /// The kernel killed a process for want of memory.
    Oom,
    /// A process died of a signal that dumps core.
    Crash,
    /// A block request failed.
    BlockError,
    /// TCP retransmitted a lot within a moment.
    RetransmitBurst,
    /// A program started; only while [`crate::Wish::EXEC_CUES`] is set.
    Exec,
}

impl CueKind {
    /// Number of kinds.
    pub const COUNT: usize = Self::Exec as usize + 1;
    /// Every kind, at its own position.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Oom, Self::Crash, Self::BlockError, Self::RetransmitBurst, Self::Exec];
}

/// One event.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CueRecord {
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub t_ns: u64,
    /// Cgroup of the process, socket or request it is about; 0 if unknown.
    pub cgroup_id: u64,
    /// Scopes it belongs to, one bit each; 0 while there are none.
    pub scopes: u64,
    /// [`CueKind`].
    pub kind: u32,
    /// Process (thread group) it is about; 0 if unknown.
    pub pid: u32,
    /// Crash: the signal. Burst: segments so far. Else 0.
    pub detail: u32,
    /// Zero.
    pub padding: u32,
    /// Name of the process, ended by a zero; empty if unknown.
    pub comm: [u8; 16],
}

/// Each kind may pass one cue per this many nanoseconds on average: 20 a second.
pub const NANOSECONDS_PER_CUE: u64 = 50_000_000;

/// So many cues of a kind may come at once. Program starts are for the eye rather than the ear.
pub const fn burst_cues(kind: CueKind) -> u64 {
    match kind {
        CueKind::Exec => 200,
        _ => 20,
    }
}

/// A burst of retransmits is this many segments
pub const BURST_SEGMENTS: u64 = 32;
/// within this time, nanoseconds. It is reported once per window.
pub const BURST_WINDOW_NS: u64 = 1_000_000_000;
