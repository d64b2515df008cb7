//! Measures the collector: its in-kernel programs, the process with one subscriber, and the process
//! with two hundred, some of which misbehave. The kernel times the programs and minimal ones at the
//! same hooks, to compare them.

use super::row::Promise;

pub(super) const TITLE: &str = "collector";

/// The measurements by khor-bench for this subject.
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
