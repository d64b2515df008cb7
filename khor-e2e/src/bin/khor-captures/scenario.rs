//! The scenarios that are recorded: names, durations and loads.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{memory, network, work};

/// The directory and the end time of a load.
pub(crate) struct Stage<'a> {
    /// A directory on a disk. It contains only the files that `prepare` created.
    pub(crate) dir: &'a Path,
    pub(crate) until: Instant,
}

impl Stage<'_> {
    pub(crate) fn is_running(&self) -> bool {
        Instant::now() < self.until
    }

    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// One capture.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// A description of the load for the list in README.md.
    pub(crate) runs: &'static str,
    /// Length of the recording before the load, seconds.
    pub(crate) lead_s: u64,
    pub(crate) load_s: u64,
    /// Length of the recording after the load, seconds.
    pub(crate) tail_s: u64,
    pub(crate) interval_ms: u16,
    /// Prepares the directory before the recording begins.
    pub(crate) prepare: fn(&Path) -> Result<()>,
    pub(crate) load: fn(&Stage) -> Result<()>,
}

const LEAD_S: u64 = 12;
const TAIL_S: u64 = 4;

const fn scenario(
    name: &'static str,
    load_s: u64,
    runs: &'static str,
    load: fn(&Stage) -> Result<()>,
) -> Scenario {
    Scenario {
        name,
        runs,
        lead_s: LEAD_S,
        load_s,
        tail_s: TAIL_S,
        interval_ms: 20,
        prepare: |_| Ok(()),
        load,
    }
}

pub(crate) const SCENARIOS: [Scenario; 11] = [
    Scenario { lead_s: 36, ..scenario("idle", 0, "no load", |_| Ok(())) },
    scenario("exec-storm", 24, "two threads run `/bin/true` repeatedly", work::exec_storm),
    scenario(
        "download",
        24,
        "receives about 20 MB/s by TCP from a peer behind a tun device; the peer's TCP stack is outside the \
         kernel, so the kernel counts only this end",
        network::download,
    ),
    scenario("upload", 24, "sends about 12 MB/s by TCP to the same peer as in `download`", network::upload),
    scenario(
        "disk",
        24,
        "repeatedly writes 32 MiB past the cache, reads the data back and removes it; then writes 4 MiB \
         through the cache with `fdatasync`",
        work::disk,
    ),
    scenario("compile", 24, "three compilers (`cc -O1`) at a time compile generated C files", work::compile),
    scenario(
        "retransmits",
        24,
        "sends about 1 MB/s by TCP to the same peer as in `download`, over a line that loses 5 % of the packets",
        network::lossy,
    ),
    Scenario {
        prepare: memory::prepare,
        ..scenario(
            "memory-pressure",
            24,
            "eight threads read random pages of a mapped file of 96 MiB, in a cgroup limited to 48 MiB",
            memory::pressure,
        )
    },
    scenario("crash", 18, "three processes, 8 s apart, each of which ends by SIGSEGV", memory::crashes),
    scenario(
        "oom",
        18,
        "three processes, 8 s apart, each of which fills a cgroup limited to 48 MiB until the kernel kills the process",
        memory::kills,
    ),
    Scenario { interval_ms: 100, lead_s: 178, ..scenario("idle-long", 0, "no load", |_| Ok(())) },
];
