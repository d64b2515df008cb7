//! Cues: kernel events worth a sound of their own.

use serde::{Deserialize, Serialize};

use crate::availability::Availability;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CueKind {
    /// The kernel killed a process for want of memory (`mark_victim`).
    Oom,
    /// A process died of a signal that dumps core: a segmentation fault, an abort (`signal_deliver`).
    Crash,
    /// A block request failed (`block_rq_complete`).
    BlockError,
    /// TCP sent 32 segments again within a second; told once a second while it lasts (`tcp_retransmit_skb`).
    RetransmitBurst,
    /// A program started (`sched_process_exec`).
    Exec,
}

impl CueKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Oom, Self::Crash, Self::BlockError, Self::RetransmitBurst, Self::Exec];

    /// Name in configuration, API, OSC and D-Bus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oom => "oom",
            Self::Crash => "crash",
            Self::BlockError => "blkerr",
            Self::RetransmitBurst => "retx",
            Self::Exec => "exec",
        }
    }
}

/// One event. The kernel passes on 20 of a kind at once and 20 a second (of [`CueKind::Exec`] 200 at once); what is
/// beyond that is told of as `Lost`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// What happened.
    pub kind: CueKind,
    /// When, `CLOCK_BOOTTIME` in nanoseconds, as in samples.
    pub t_ns: u64,
    /// The process (thread group) it happened to; `None` where it is nobody's or the kernel does not tell.
    pub pid: Option<u32>,
    /// Its name, at most 15 bytes; what is not UTF-8 in it is replaced.
    pub comm: Option<String>,
    /// Id of the cgroup it happened in (the inode number of its directory): of the process, of the socket, or of
    /// the block request.
    pub cgroup_id: Option<u64>,
    /// [`CueKind::Crash`]: the signal's number. [`CueKind::RetransmitBurst`]: segments so far. Else `None`.
    pub detail: Option<u32>,
}

/// One kind of cue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CueInfo {
    /// Which.
    pub kind: CueKind,
    /// Whether the kernel tells of it.
    pub availability: Availability,
}
