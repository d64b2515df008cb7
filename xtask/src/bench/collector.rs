//! Measures the collector's CPU time and memory: of its in-kernel programs, of the process with one
//! subscriber, and of the process with 200 subscribers, some of which misbehave. The kernel also
//! times minimal programs at the same hooks, for comparison.

use super::row::Promise;

pub(super) const TITLE: &str = "collector";

/// The measurements that `khor-bench` makes for this subject.
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
