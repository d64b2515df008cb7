//! Cost of the in-kernel programs, timed by the kernel and compared with minimal ones at the same hook.

use super::row::Promise;

pub(super) const TITLE: &str = "in-kernel programs, per event";

pub(super) fn promise(name: &str) -> Option<Promise> {
    (name == "sched_switch : increment").then_some(Promise::AtMost(1.15))
}
