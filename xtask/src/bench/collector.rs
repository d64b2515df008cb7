//! Measures the cost of the collector's in-kernel programs, and the CPU time and memory of its
//! process with one subscriber and with 200 subscribers, some of which misbehave. For comparison,
//! the kernel also times minimal programs at the same hooks.

use super::row::Promise;

pub(super) const TITLE: &str = "collector";

/// Arguments of `khor-bench`, one for each measurement of the collector.
pub(super) const PARTS: [&str; 3] = ["probes", "alone", "crowd"];

pub(super) fn promise(name: &str) -> Option<Promise> {
    match name {
        "  sched_switch : increment" => Some(Promise::AtMost(1.15)),
        "collector, 1 subscriber, CPU" => Some(Promise::AtMost(0.3)),
        "collector, 1 subscriber, RSS" => Some(Promise::AtMost(12.0)),
        "200 subscribers, CPU" => Some(Promise::AtMost(10.0)),
        _ => None,
    }
}
