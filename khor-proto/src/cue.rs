//! Cues: kernel events that get a sound of their own.

use serde::{Deserialize, Serialize};

use crate::availability::Availability;

/// The kind of kernel event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CueKind {
    /// The kernel killed a process because memory ran out (`mark_victim`).
    Oom,
    /// A signal that dumps core ended a process: a segmentation fault or an abort, for example
    /// (`signal_deliver`).
    Crash,
    /// A block request failed (`block_rq_complete`).
    BlockError,
    /// TCP sent at least 32 segments again within a second (`tcp_retransmit_skb`). Sent at most
    /// once a second.
    RetransmitBurst,
    /// A program started (`sched_process_exec`). Only root and trusted users receive it.
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

/// One event. For each kind, the kernel passes on a burst of 20 events (200 of [`CueKind::Exec`]),
/// and then 20 a second. Further events are dropped and counted in
/// [`ServerMessage::Lost`](crate::ServerMessage::Lost).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// The kind of event.
    pub kind: CueKind,
    /// Time of the event, `CLOCK_BOOTTIME` in nanoseconds, as in samples.
    pub t_ns: u64,
    /// The process (thread group) of the event; `None` if it has none or the kernel does not report
    /// it.
    pub pid: Option<u32>,
    /// Name of the process, at most 15 bytes. Bytes that are not UTF-8 are replaced.
    pub comm: Option<String>,
    /// Id of the cgroup (the inode number of its directory) of the process, the socket or the block
    /// request.
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
