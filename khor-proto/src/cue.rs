//! Cues: kernel events worth a sound of their own.

use serde::{Deserialize, Serialize};

use crate::availability::Availability;

/// The kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CueKind {
    /// The kernel killed a process for want of memory (`mark_victim`).
    Oom,
    /// A process died of a signal that dumps core: a segmentation fault, an abort (`signal_deliver`).
    Crash,
    /// A block request failed (`block_rq_complete`).
    BlockError,
    /// TCP sent 32 segments again within a second (`tcp_retransmit_skb`). Sent once a second while
    /// it lasts.
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

/// One event. The kernel passes on 20 of a kind at once and 20 a second (of [`CueKind::Exec`] 200
/// at once). Further events are counted as `Lost`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// What happened.
    pub kind: CueKind,
    /// When, `CLOCK_BOOTTIME` in nanoseconds, as in samples.
    pub t_ns: u64,
    /// The process (thread group) of the event; `None` if it has none or the kernel does not report
    /// it.
    pub pid: Option<u32>,
    /// Its name, at most 15 bytes. Bytes that are not UTF-8 are replaced.
    pub comm: Option<String>,
    /// Id of the cgroup (the inode number of its directory) of the process, the socket or the block
    /// request.
    pub cgroup_id: Option<u64>,
    /// [`CueKind::Crash`]: the signal's number. [`CueKind::RetransmitBurst`]: segments so far. Else `None`.
    pub detail: Option<u32>,
}

/// One kind of cue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CueInfo {
    /// Which.
    pub kind: CueKind,
    /// Whether it is available.
    pub availability: Availability,
}
