//! What is recorded: names, durations, loads.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{memory, network, work};

/// Where a load works, and until when.
pub(crate) struct Stage<'a> {
    /// A directory on a disk, with only the files of `prepare`.
    pub(crate) dir: &'a Path,
    pub(crate) until: Instant,
}

impl Stage<'_> {
    pub(crate) fn goes_on(&self) -> bool {
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
    /// What is run, for the reader of the list.
    pub(crate) runs: &'static str,
    /// Before the load, seconds.
    pub(crate) lead_s: u64,
    pub(crate) load_s: u64,
    /// After it, seconds.
    pub(crate) tail_s: u64,
    pub(crate) interval_ms: u16,
    /// What must be there before the recording begins.
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
    Scenario { lead_s: 36, ..scenario("idle", 0, "nothing", |_| Ok(())) },
    scenario("exec-storm", 24, "`/bin/true`, again and again, by two threads", work::exec_storm),
    scenario(
        "download",
        24,
        "TCP from a peer behind a tun device, about 20 MB/s; the peer is a TCP stack in a program, so that only this \
         end is the kernel's",
        network::download,
    ),
    scenario("upload", 24, "the same in the other direction, about 12 MB/s", network::upload),
    scenario(
        "disk",
        24,
        "32 MiB written past the cache, read back, removed; 4 MiB through the cache with `fdatasync`; again and again",
        work::disk,
    ),
    scenario("compile", 24, "three `cc -O1` at a time, on generated C files", work::compile),
    scenario(
        "retransmits",
        24,
        "TCP to the same peer, about 1 MB/s, over a line that loses five packets of a hundred",
        network::lossy,
    ),
    Scenario {
        prepare: memory::prepare,
        ..scenario(
            "memory-pressure",
            24,
            "random pages of a mapped file of 96 MiB, by eight threads in a cgroup that may have 48 MiB",
            memory::pressure,
        )
    },
    scenario("crash", 18, "three processes that end by SIGSEGV, 8 s apart", memory::crashes),
    scenario(
        "oom",
        18,
        "three processes that fill a cgroup of 48 MiB until they are killed, 8 s apart",
        memory::kills,
    ),
    Scenario { interval_ms: 100, lead_s: 178, ..scenario("idle-long", 0, "nothing", |_| Ok(())) },
];
