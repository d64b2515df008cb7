//! Measures the CPU time and memory of khor's programs on an idle machine. CPU time is in percent
//! of one core.

use super::row::Promise;

pub(super) const TITLE: &str = "idle machine, CPU of one core";

pub(super) fn promise(name: &str) -> Option<Promise> {
    match name {
        "collector + engine, sound, CPU" => Some(Promise::AtMost(1.5)),
        "collector + engine, sound, RSS" => Some(Promise::AtMost(40.0)),
        _ => None,
    }
}
