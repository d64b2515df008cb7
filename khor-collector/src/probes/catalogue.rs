//! Which programs there are, what each needs to know of the kernel, and which counters it feeds.

use khor_layout::{Slot, global};
use khor_proto::{Unit, counter};

use super::offsets::Offsets;

/// One in-kernel program.
pub(super) struct Program {
    /// The tracepoint it attaches to, also its name for users.
    pub(super) name: &'static str,
    /// Its symbol in the object, where the kernel's argument list decides between two.
    pub(super) symbol: fn(&Offsets) -> &'static str,
    /// Globals that must be known, else it is not loaded.
    pub(super) globals: &'static [&'static str],
}

/// One counter and the programs that must all be attached for it to be true.
pub(super) struct Counter {
    pub(super) name: &'static str,
    pub(super) slot: Slot,
    pub(super) unit: Unit,
    pub(super) programs: &'static [&'static str],
}

pub(super) const PROGRAMS: [Program; 10] = [
    Program { name: "sched_process_exec", symbol: |_| "sched_process_exec", globals: &[] },
    Program { name: "task_newtask", symbol: |_| "task_newtask", globals: &[] },
    Program {
        name: "netif_receive_skb",
        symbol: |_| "netif_receive_skb",
        globals: &[global::SKB_LEN_OFFSET],
    },
    Program { name: "net_dev_xmit", symbol: |_| "net_dev_xmit", globals: &[] },
    Program { name: "sched_switch", symbol: |_| "sched_switch", globals: &[] },
    Program {
        name: "block_rq_issue",
        symbol: |offsets| if offsets.queue_first { "block_rq_issue_queue_first" } else { "block_rq_issue" },
        globals: &[global::REQUEST_CMD_FLAGS_OFFSET],
    },
    Program {
        name: "block_rq_complete",
        symbol: |_| "block_rq_complete",
        globals: &[global::REQUEST_CMD_FLAGS_OFFSET],
    },
    Program {
        name: "tcp_retransmit_skb",
        symbol: |_| "tcp_retransmit_skb",
        globals: &[global::SKB_GSO_SEGS_OFFSET, global::RETRANSMIT_HAS_RESULT],
    },
    Program { name: "tcp_retransmit_synack", symbol: |_| "tcp_retransmit_synack", globals: &[] },
    Program {
        name: "irq_handler_entry",
        symbol: |_| "irq_handler_entry",
        globals: &[global::IRQACTION_NEXT_OFFSET],
    },
];

const fn count(name: &'static str, slot: Slot, programs: &'static [&'static str]) -> Counter {
    Counter { name, slot, unit: Unit::Count, programs }
}

const fn bytes(name: &'static str, slot: Slot, programs: &'static [&'static str]) -> Counter {
    Counter { name, slot, unit: Unit::Bytes, programs }
}

pub(super) const COUNTERS: [Counter; Slot::COUNT] = [
    count(counter::EXECS, Slot::Execs, &["sched_process_exec"]),
    count(counter::FORKS, Slot::Forks, &["task_newtask"]),
    bytes(counter::RX_BYTES, Slot::RxBytes, &["netif_receive_skb"]),
    count(counter::RX_PACKETS, Slot::RxPackets, &["netif_receive_skb"]),
    bytes(counter::TX_BYTES, Slot::TxBytes, &["net_dev_xmit"]),
    count(counter::TX_PACKETS, Slot::TxPackets, &["net_dev_xmit"]),
    count(counter::SWITCHES, Slot::Switches, &["sched_switch"]),
    bytes(counter::READ_BYTES, Slot::ReadBytes, &["block_rq_complete"]),
    bytes(counter::WRITE_BYTES, Slot::WriteBytes, &["block_rq_complete"]),
    count(counter::READ_REQUESTS, Slot::ReadRequests, &["block_rq_issue"]),
    count(counter::WRITE_REQUESTS, Slot::WriteRequests, &["block_rq_issue"]),
    count(counter::IO_ERRORS, Slot::IoErrors, &["block_rq_complete"]),
    count(counter::RETRANSMITS, Slot::Retransmits, &["tcp_retransmit_skb", "tcp_retransmit_synack"]),
    count(counter::IRQS, Slot::Irqs, &["irq_handler_entry"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_own_slot_and_known_programs() {
        for (index, counter) in COUNTERS.iter().enumerate() {
            assert_eq!(counter.slot as usize, index, "{}", counter.name);
            let known = |name: &&str| PROGRAMS.iter().any(|program| program.name == *name);
            assert!(!counter.programs.is_empty() && counter.programs.iter().all(known), "{}", counter.name);
        }
    }
}
