//! Cues: rare kernel events, each of which gets its own sound.

use serde::{Deserialize, Serialize};

use crate::availability::Availability;

/// The kind of kernel event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CueKind {
    /// The kernel killed a process because memory ran out (`mark_victim`).
    Oom,
    /// A signal that causes a core dump ended a process (`signal_deliver`). Examples are a
    /// segmentation fault and an abort.
    Crash,
    /// A block request failed (`block_rq_complete`).
    BlockError,
    /// TCP retransmitted at least 32 segments within a second (`tcp_retransmit_skb`). At most one
    /// such cue is sent in a second.
    RetransmitBurst,
    /// A program started (`sched_process_exec`). Only root and trusted users receive these cues.
    Exec,
}

impl CueKind {
    /// All kinds of cues.
    pub const ALL: [Self; 5] = [Self::Oom, Self::Crash, Self::BlockError, Self::RetransmitBurst, Self::Exec];

    /// Name of the kind in configuration, API, OSC and D-Bus.
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

/// One kernel event. The rate of each kind is limited to 20 cues a second, after a burst of 20 (200
/// for [`CueKind::Exec`]). Further cues are dropped and counted in
/// [`ServerMessage::Lost`](crate::ServerMessage::Lost).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// The kind of event.
    pub kind: CueKind,
    /// Time of the event (`CLOCK_BOOTTIME`), in nanoseconds, as in samples.
    pub t_ns: u64,
    /// Number of the event's process (thread group). `None` if the event has no process or the
    /// kernel does not report it.
    pub pid: Option<u32>,
    /// Name of the process, at most 15 bytes. Bytes that are not UTF-8 are replaced.
    pub comm: Option<String>,
    /// Id of the cgroup to which the process, socket or block request belongs. It is the inode
    /// number of the cgroup's directory.
    pub cgroup_id: Option<u64>,
    /// For [`CueKind::Crash`], the number of the signal. For [`CueKind::RetransmitBurst`], the
    /// number of segments so far. Otherwise `None`.
    pub detail: Option<u32>,
}

/// A kind of cue, and whether the collector can send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CueInfo {
    /// The kind of cue.
    pub kind: CueKind,
    /// Whether this kind is available.
    pub availability: Availability,
}
