//! Measures the time from a burst of ten program starts to the OSC message that reports the burst.
//! The time counts from the first start.

use super::row::Promise;

pub(super) const TITLE: &str = "latency";

pub(super) fn promise(name: &str) -> Option<Promise> {
    (name == "program starts, time to OSC, p95").then_some(Promise::AtMost(40.0))
}
