//! The catalogue of the in-kernel programs. It lists which kernel features each program needs, and
//! which counters and cues each program feeds.

use khor_layout::{CueKind, Slot, global};
use khor_proto::Counter;

use super::offsets::Offsets;

/// One in-kernel program.
pub(super) struct Program {
    /// The tracepoint or function that the program attaches to. Users see it as the program's name.
    pub(super) name: &'static str,
    /// How the program attaches.
    pub(super) hook: Hook,
    /// Returns the program's symbol in the object. Some programs exist twice, under two symbols,
    /// because the arguments of their tracepoint differ between kernels.
    pub(super) symbol: fn(&Offsets) -> &'static str,
    /// Globals that the program reads. The program is loaded only if all their values are known.
    pub(super) globals: &'static [&'static str],
}

/// How a program attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// `tp_btf`.
    Tracepoint,
    /// `fentry`, which also needs the kernel's function tracing.
    Function,
}

/// The kind of owner of the events that a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The running task, which belongs to a process and to a cgroup.
    Task,
    /// A socket, which belongs to the cgroup in which it was created.
    Socket,
    /// A block request. The kernel's I/O controller charges it to a cgroup.
    Request,
    /// No owner: only the whole machine counts these events.
    Nobody,
}

/// A counter that the in-kernel programs update.
pub(super) struct ProgramCounter {
    pub(super) counter: Counter,
    pub(super) slot: Slot,
    /// Programs that must all be attached. Otherwise the counter is absent for the whole machine.
    pub(super) programs: &'static [&'static str],
    pub(super) owner: Owner,
    pub(super) scoped: Scoped,
}

/// How a scope counts the events of a [`ProgramCounter`].
pub(super) enum Scoped {
    /// A scope counts the events in this slot, provided that all of these programs are attached.
    In(Slot, &'static [&'static str]),
    /// A scope does not count these events, for the given reason.
    Missing(&'static str),
}

/// One kind of cue and the program that reports it.
pub(super) struct Cue {
    pub(super) kind: CueKind,
    pub(super) program: &'static str,
}

const fn tracepoint(name: &'static str, globals: &'static [&'static str]) -> Program {
    Program { name, hook: Hook::Tracepoint, symbol: |_| "", globals }
}

const fn function(name: &'static str, globals: &'static [&'static str]) -> Program {
    Program { name, hook: Hook::Function, symbol: |_| "", globals }
}

const SENDING: &[&str] = &[global::SKB_LEN_OFFSET, global::SKB_SK_OFFSET];

pub(super) const PROGRAMS: [Program; 17] = [
    tracepoint("sched_process_exec", &[]),
    tracepoint("task_newtask", &[]),
    tracepoint(
        "netif_receive_skb",
        &[
            global::SKB_LEN_OFFSET,
            global::SKB_DEV_OFFSET,
            global::DEVICE_PARENT_OFFSET,
            global::DEVICE_RX_HANDLER_OFFSET,
        ],
    ),
    tracepoint("net_dev_xmit", &[global::DEVICE_PARENT_OFFSET]),
    function(
        "sk_filter_trim_cap",
        &[
            global::SKB_LEN_OFFSET,
            global::SKB_HEAD_OFFSET,
            global::SKB_DATA_OFFSET,
            global::SKB_NETWORK_HEADER_OFFSET,
            global::SOCK_FAMILY_OFFSET,
        ],
    ),
    function("ip_output", SENDING),
    function("ip_mc_output", SENDING),
    function("ip6_output", SENDING),
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
    /// The program's symbol in the object.
    pub(super) fn symbol(&self, offsets: &Offsets) -> &'static str {
        match (self.symbol)(offsets) {
            "" => self.name,
            symbol => symbol,
        }
    }

    /// Whether the program counts only for scopes.
    pub(super) fn serves_only_scopes(&self) -> bool {
        let counts = COUNTERS.iter().any(|counter| counter.programs.contains(&self.name));
        !counts && CUES.iter().all(|cue| cue.program != self.name)
    }
}

/// Pairs a counter of khor-proto with the slot of the same name in khor-layout.
macro_rules! slotted {
    ($name:ident) => {
        (Counter::$name, Slot::$name)
    };
}

/// Defines a counter that uses the same slot and the same programs for the machine and for scopes.
const fn of(
    owner: Owner,
    (counter, slot): (Counter, Slot),
    programs: &'static [&'static str],
) -> ProgramCounter {
    ProgramCounter { counter, slot, programs, owner, scoped: Scoped::In(slot, programs) }
}

/// Defines a counter of received packets or bytes. A scope uses `scope_slot` to count what its
/// sockets receive.
const fn received((counter, slot): (Counter, Slot), scope_slot: Slot) -> ProgramCounter {
    let scoped = Scoped::In(scope_slot, &["sk_filter_trim_cap"]);
    ProgramCounter { counter, slot, programs: RECEIVED, owner: Owner::Socket, scoped }
}

/// Defines a counter of sent packets or bytes. A scope uses `scope_slot` to count what its sockets
/// send.
const fn sent((counter, slot): (Counter, Slot), scope_slot: Slot) -> ProgramCounter {
    let scoped = Scoped::In(scope_slot, &["ip_output", "ip_mc_output", "ip6_output"]);
    ProgramCounter { counter, slot, programs: &["net_dev_xmit"], owner: Owner::Socket, scoped }
}

/// Defines a counter of local traffic. Local traffic can be recognised only at devices. Scopes
/// count at sockets, so they lack this counter.
const fn local((counter, slot): (Counter, Slot)) -> ProgramCounter {
    let scoped = Scoped::Missing("local traffic is counted at devices, but a scope's traffic at its sockets");
    ProgramCounter { counter, slot, programs: RECEIVED, owner: Owner::Socket, scoped }
}

const RECEIVED: &[&str] = &["netif_receive_skb"];
const COMPLETED: &[&str] = &["block_rq_complete"];
const TIMED: &[&str] = &["block_rq_issue", "block_rq_complete"];
const RETRANSMITTED: &[&str] = &["tcp_retransmit_skb", "tcp_retransmit_synack"];

/// All counters that the programs update, in the order of [`Slot`].
pub(super) const COUNTERS: [ProgramCounter; Slot::COUNT] = [
    of(Owner::Task, slotted!(Execs), &["sched_process_exec"]),
    of(Owner::Task, slotted!(Forks), &["task_newtask"]),
    received(slotted!(RxBytes), Slot::RxBytes),
    received(slotted!(RxPackets), Slot::RxPackets),
    sent(slotted!(TxBytes), Slot::TxBytes),
    sent(slotted!(TxPackets), Slot::TxPackets),
    of(Owner::Task, slotted!(Switches), &["sched_switch"]),
    of(Owner::Request, slotted!(ReadBytes), COMPLETED),
    of(Owner::Request, slotted!(WriteBytes), COMPLETED),
    of(Owner::Request, slotted!(ReadRequests), COMPLETED),
    of(Owner::Request, slotted!(WriteRequests), COMPLETED),
    of(Owner::Request, slotted!(IoErrors), COMPLETED),
    of(Owner::Request, slotted!(LatencyNs), TIMED),
    of(Owner::Request, slotted!(TimedRequests), TIMED),
    of(Owner::Socket, slotted!(Retransmits), RETRANSMITTED),
    of(Owner::Nobody, slotted!(Irqs), &["irq_handler_entry"]),
    of(Owner::Nobody, slotted!(Softirqs), &["softirq_entry"]),
    received(slotted!(EdgeRxBytes), Slot::RxBytes),
    received(slotted!(EdgeRxPackets), Slot::RxPackets),
    sent(slotted!(EdgeTxBytes), Slot::TxBytes),
    sent(slotted!(EdgeTxPackets), Slot::TxPackets),
    local(slotted!(LocalBytes)),
    local(slotted!(LocalPackets)),
];

/// The kinds of cues, in the order of [`CueKind`].
pub(super) const CUES: [Cue; CueKind::COUNT] = [
    Cue { kind: CueKind::Oom, program: "mark_victim" },
    Cue { kind: CueKind::Crash, program: "signal_deliver" },
    Cue { kind: CueKind::BlockError, program: "block_rq_complete" },
    Cue { kind: CueKind::RetransmitBurst, program: "tcp_retransmit_skb" },
    Cue { kind: CueKind::Exec, program: "sched_process_exec" },
];

/// The globals that programs need to find a cgroup and its ancestors.
const CGROUPS: [&str; 6] = [
    global::CGROUP_LEVEL_OFFSET,
    global::CGROUP_KN_OFFSET,
    global::CGROUP_ANCESTORS_OFFSET,
    global::KERNFS_ID_OFFSET,
    global::TASK_CGROUPS_OFFSET,
    global::CSS_SET_CGROUP_OFFSET,
];

impl Owner {
    /// The globals that programs need to find an owner of this kind.
    pub(super) fn globals(self) -> impl Iterator<Item = &'static str> {
        let more: &[&str] = match self {
            Self::Task | Self::Nobody => &[],
            Self::Socket => {
                &[global::SOCK_CGROUP_OFFSET, global::SOCK_STATE_OFFSET, global::SOCK_LISTENER_OFFSET]
            }
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
    use crate::polled;

    fn known(name: &str) -> bool {
        PROGRAMS.iter().any(|program| program.name == name)
    }

    #[test]
    fn each_counter_has_slot_and_known_programs() {
        for (index, counter) in COUNTERS.iter().enumerate() {
            assert_eq!(counter.slot as usize, index, "{}", counter.counter);
            assert!(!counter.programs.is_empty(), "{}", counter.counter);
            let scope_programs = match counter.scoped {
                Scoped::In(_, programs) => programs,
                Scoped::Missing(_) => &[],
            };
            assert!(counter.programs.iter().chain(scope_programs).all(|name| known(name)));
        }
    }

    #[test]
    fn each_counter_has_a_slot_or_file() {
        let mut counters: Vec<_> = COUNTERS.iter().map(|counter| counter.counter).collect();
        counters.extend(polled::COUNTERS);
        counters.sort_by_key(|counter| counter.index());
        assert_eq!(counters, Counter::ALL);
    }

    #[test]
    fn each_cue_has_position_and_known_program() {
        for (index, cue) in CUES.iter().enumerate() {
            assert!(cue.kind as usize == index && known(cue.program), "{:?}", cue.kind);
        }
    }
}
