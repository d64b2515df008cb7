//! Measures the engine's CPU time and memory for a site, for several numbers of hosts.

use super::row::Promise;

pub(super) const TITLE: &str = "a site of simulated hosts, one engine without sound";

pub(super) fn promise(name: &str) -> Option<Promise> {
    match name {
        "1000 hosts directly, engine, CPU" => Some(Promise::AtMost(50.0)),
        "1000 hosts directly, engine, RSS" => Some(Promise::AtMost(150.0)),
        "1000 hosts through two relays, engine, CPU" => Some(Promise::AtMost(5.0)),
        _ => None,
    }
}
