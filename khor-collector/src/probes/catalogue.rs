//! Which programs there are, what each needs to know of the kernel, and which counters and cues it feeds.

use khor_layout::{CueKind, Slot, global};
use khor_proto::{Unit, counter};

use super::offsets::Offsets;

/// One in-kernel program.
pub(super) struct Program {
    /// The tracepoint or function it attaches to, also its name for users.
    pub(super) name: &'static str,
    /// How it attaches.
    pub(super) hook: Hook,
    /// Its symbol in the object, where the kernel's argument list decides between two.
    pub(super) symbol: fn(&Offsets) -> &'static str,
    /// Globals that must be known, else it is not loaded.
    pub(super) globals: &'static [&'static str],
}

/// How a program attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// `tp_btf`.
    Tracepoint,
    /// `fentry`: needs the kernel's function tracing besides.
    Function,
}

/// Whose the events of a counter are, as far as the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Somebody's who runs: a process in a cgroup.
    Task,
    /// A socket's, which belongs to a cgroup.
    Socket,
    /// A block request's, which the I/O controller charges to a cgroup.
    Request,
    /// Nobody's.
    Nobody,
}

/// One counter and the programs that must all be attached for it to be true.
pub(super) struct Counter {
    pub(super) name: &'static str,
    pub(super) slot: Slot,
    pub(super) unit: Unit,
    pub(super) programs: &'static [&'static str],
    pub(super) owner: Owner,
    /// Programs that must be attached besides for it to be true in a scope.
    pub(super) scope_programs: &'static [&'static str],
}

/// One kind of cue and the program that tells of it.
pub(super) struct Cue {
    pub(super) kind: CueKind,
    pub(super) program: &'static str,
}

const fn tracepoint(name: &'static str, globals: &'static [&'static str]) -> Program {
    Program { name, hook: Hook::Tracepoint, symbol: |_| "", globals }
}

pub(super) const PROGRAMS: [Program; 15] = [
    tracepoint("sched_process_exec", &[]),
    tracepoint("task_newtask", &[]),
    tracepoint("netif_receive_skb", &[global::SKB_LEN_OFFSET]),
    tracepoint("net_dev_xmit", &[]),
    tracepoint("net_dev_start_xmit", &[global::SKB_SK_OFFSET]),
    Program {
        hook: Hook::Function,
        ..tracepoint(
            "sk_filter_trim_cap",
            &[
                global::SKB_LEN_OFFSET,
                global::SKB_HEAD_OFFSET,
                global::SKB_DATA_OFFSET,
                global::SKB_NETWORK_HEADER_OFFSET,
                global::SOCK_FAMILY_OFFSET,
            ],
        )
    },
    tracepoint("sched_switch", &[]),
    Program {
        symbol: |offsets| if offsets.queue_first { "block_rq_issue_queue_first" } else { "" },
        ..tracepoint(
            "block_rq_issue",
            &[
                global::REQUEST_CMD_FLAGS_OFFSET,
                global::REQUEST_DISK_OFFSET,
                global::QUEUE_DISK_OFFSET,
                global::DISK_NAME_OFFSET,
            ],
        )
    },
    tracepoint(
        "block_rq_complete",
        &[
            global::REQUEST_CMD_FLAGS_OFFSET,
            global::REQUEST_DATA_LEN_OFFSET,
            global::REQUEST_STATE_OFFSET,
            global::REQUEST_FLUSH_SEQUENCE,
            global::REQUEST_DISK_OFFSET,
            global::QUEUE_DISK_OFFSET,
            global::DISK_NAME_OFFSET,
        ],
    ),
    tracepoint("tcp_retransmit_skb", &[global::SKB_GSO_SEGS_OFFSET, global::RETRANSMIT_HAS_RESULT]),
    tracepoint("tcp_retransmit_synack", &[]),
    tracepoint("irq_handler_entry", &[global::IRQACTION_NEXT_OFFSET]),
    tracepoint("softirq_entry", &[]),
    Program {
        symbol: |offsets| if offsets.victim_is_number { "mark_victim_number" } else { "" },
        ..tracepoint("mark_victim", &[global::TASK_TGID_OFFSET, global::TASK_COMM_OFFSET])
    },
    tracepoint("signal_deliver", &[global::SIGACTION_HANDLER_OFFSET]),
];

impl Program {
    /// Its name in the object.
    pub(super) fn symbol(&self, offsets: &Offsets) -> &'static str {
        match (self.symbol)(offsets) {
            "" => self.name,
            symbol => symbol,
        }
    }

    /// Whether only counts of scopes need it.
    pub(super) fn serves_only_scopes(&self) -> bool {
        let counts = COUNTERS.iter().any(|counter| counter.programs.contains(&self.name));
        !counts && CUES.iter().all(|cue| cue.program != self.name)
    }
}

const fn of_tasks(name: &'static str, slot: Slot, programs: &'static [&'static str]) -> Counter {
    Counter { name, slot, unit: Unit::Count, programs, owner: Owner::Task, scope_programs: &[] }
}

const fn of_sockets(
    name: &'static str,
    slot: Slot,
    unit: Unit,
    programs: &'static [&'static str],
    scope_programs: &'static [&'static str],
) -> Counter {
    Counter { name, slot, unit, programs, owner: Owner::Socket, scope_programs }
}

const fn of_requests(
    name: &'static str,
    slot: Slot,
    unit: Unit,
    programs: &'static [&'static str],
) -> Counter {
    Counter { name, slot, unit, programs, owner: Owner::Request, scope_programs: &[] }
}

const fn of_nobody(name: &'static str, slot: Slot, programs: &'static [&'static str]) -> Counter {
    Counter { name, slot, unit: Unit::Count, programs, owner: Owner::Nobody, scope_programs: &[] }
}

const RECEIVED: &[&str] = &["netif_receive_skb"];
const RECEIVED_BY: &[&str] = &["sk_filter_trim_cap"];
const SENT: &[&str] = &["net_dev_xmit"];
const SENT_BY: &[&str] = &["net_dev_start_xmit"];
const COMPLETED: &[&str] = &["block_rq_complete"];
const TIMED: &[&str] = &["block_rq_issue", "block_rq_complete"];
const RETRANSMITTED: &[&str] = &["tcp_retransmit_skb", "tcp_retransmit_synack"];

/// In the order of [`Slot`].
pub(super) const COUNTERS: [Counter; Slot::COUNT] = [
    of_tasks(counter::EXECS, Slot::Execs, &["sched_process_exec"]),
    of_tasks(counter::FORKS, Slot::Forks, &["task_newtask"]),
    of_sockets(counter::RX_BYTES, Slot::RxBytes, Unit::Bytes, RECEIVED, RECEIVED_BY),
    of_sockets(counter::RX_PACKETS, Slot::RxPackets, Unit::Count, RECEIVED, RECEIVED_BY),
    of_sockets(counter::TX_BYTES, Slot::TxBytes, Unit::Bytes, SENT, SENT_BY),
    of_sockets(counter::TX_PACKETS, Slot::TxPackets, Unit::Count, SENT, SENT_BY),
    of_tasks(counter::SWITCHES, Slot::Switches, &["sched_switch"]),
    of_requests(counter::READ_BYTES, Slot::ReadBytes, Unit::Bytes, COMPLETED),
    of_requests(counter::WRITE_BYTES, Slot::WriteBytes, Unit::Bytes, COMPLETED),
    of_requests(counter::READ_REQUESTS, Slot::ReadRequests, Unit::Count, COMPLETED),
    of_requests(counter::WRITE_REQUESTS, Slot::WriteRequests, Unit::Count, COMPLETED),
    of_requests(counter::IO_ERRORS, Slot::IoErrors, Unit::Count, COMPLETED),
    of_requests(counter::LATENCY_NS, Slot::LatencyNs, Unit::Nanoseconds, TIMED),
    of_requests(counter::TIMED_REQUESTS, Slot::TimedRequests, Unit::Count, TIMED),
    of_sockets(counter::RETRANSMITS, Slot::Retransmits, Unit::Count, RETRANSMITTED, &[]),
    of_nobody(counter::IRQS, Slot::Irqs, &["irq_handler_entry"]),
    of_nobody(counter::SOFTIRQS, Slot::Softirqs, &["softirq_entry"]),
];

/// In the order of [`CueKind`].
pub(super) const CUES: [Cue; CueKind::COUNT] = [
    Cue { kind: CueKind::Oom, program: "mark_victim" },
    Cue { kind: CueKind::Crash, program: "signal_deliver" },
    Cue { kind: CueKind::BlockError, program: "block_rq_complete" },
    Cue { kind: CueKind::RetransmitBurst, program: "tcp_retransmit_skb" },
    Cue { kind: CueKind::Exec, program: "sched_process_exec" },
];

/// What must be known of the kernel to walk from a cgroup to its ancestors.
const CGROUPS: [&str; 6] = [
    global::CGROUP_LEVEL_OFFSET,
    global::CGROUP_KN_OFFSET,
    global::CGROUP_ANCESTORS_OFFSET,
    global::KERNFS_ID_OFFSET,
    global::TASK_CGROUPS_OFFSET,
    global::CSS_SET_CGROUP_OFFSET,
];

impl Owner {
    /// Globals that must be known to tell whose an event is.
    pub(super) fn globals(self) -> impl Iterator<Item = &'static str> {
        let more: &[&str] = match self {
            Self::Task | Self::Nobody => &[],
            Self::Socket => &[global::SOCK_CGROUP_OFFSET, global::SOCK_STATE_OFFSET],
            Self::Request => &[
                global::CGROUP_ROOT_OFFSET,
                global::CGROUP_ROOT_ID_OFFSET,
                global::REQUEST_BIO_OFFSET,
                global::BIO_BLKG_OFFSET,
                global::BLKG_BLKCG_OFFSET,
                global::BLKCG_CGROUP_OFFSET,
            ],
        };
        CGROUPS.into_iter().chain(more.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        PROGRAMS.iter().any(|program| program.name == name)
    }

    #[test]
    fn every_counter_has_its_own_slot_and_known_programs() {
        for (index, counter) in COUNTERS.iter().enumerate() {
            assert_eq!(counter.slot as usize, index, "{}", counter.name);
            assert!(!counter.programs.is_empty(), "{}", counter.name);
            assert!(counter.programs.iter().chain(counter.scope_programs).all(|name| known(name)));
        }
    }

    #[test]
    fn every_cue_has_its_own_place_and_a_known_program() {
        for (index, cue) in CUES.iter().enumerate() {
            assert!(cue.kind as usize == index && known(cue.program), "{:?}", cue.kind);
        }
    }
}
