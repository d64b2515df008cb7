//! Reads counters from `/proc`. This is the fallback without a collector: the counts are less
//! exact, and program starts and cues are missing.
//!
//! The counts of interfaces, disks and interrupts start at 0 when the source starts. When a device
//! is removed, the kernel removes its counts. So the source adds up the increases of each device.
//! All other counts start at 0 when the machine boots.

mod disks;
mod interfaces;
mod interrupts;
mod links;
mod network;
mod set;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use khor_proto::{Availability, kernel_text};
use khor_signal::{Counter, Counters, Frame, PerCounter};
use nix::{
    sys::utsname::uname,
    time::{ClockId, clock_gettime},
    unistd::{SysconfVar, sysconf},
};

use self::{disks::Disks, interrupts::Interrupts, links::LinkWatch, network::Network, set::set};
use super::MachineInfo;

/// Reads the counters that the kernel publishes in `/proc`.
#[derive(Debug)]
pub(super) struct ProcSource {
    root: PathBuf,
    devices: Devices,
    network: Network,
}

/// Adds up the counts of disks and interrupt lines. [`Network`] does this for network interfaces.
#[derive(Debug)]
struct Devices {
    disks: Disks,
    interrupts: Interrupts,
}

impl ProcSource {
    /// Creates a source that reads the folder `root` and `/sys`. `root` is `/proc` except in tests.
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self::below(root, Path::new("/sys"))
    }

    /// Creates a source that reads `root` instead of `/proc`, and `sys` instead of `/sys`.
    fn below(root: impl Into<PathBuf>, sys: &Path) -> Self {
        let root = root.into();
        // The kernel sends link notifications only about the real `/proc`. For the files of a test,
        // `LinkWatch::blind` reports that any interface may have changed.
        let links = if root.starts_with("/proc") { LinkWatch::open() } else { LinkWatch::blind() };
        Self {
            network: Network::new(&root, sys, links),
            devices: Devices { disks: Disks::new(sys), interrupts: Interrupts::default() },
            root,
        }
    }

    /// Reads the current values of all counters. A counter that cannot be read is `None`.
    pub(super) fn frame(&mut self) -> io::Result<Frame> {
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
        let t_ns = now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64;
        let mut counters = [None; Counter::ALL.len()];
        self.network.read(&mut counters);
        for (file, parse) in FILES {
            if let Ok(text) = kernel_text::read(self.root.join(file)) {
                parse(&mut self.devices, &text, &mut counters);
            }
        }
        Ok(Frame::new(t_ns, counters))
    }

    /// Describes this machine.
    pub(super) fn machine(&self) -> Option<MachineInfo> {
        let boot_id = kernel_text::read(self.root.join("sys/kernel/random/boot_id")).unwrap_or_default();
        let cpus = sysconf(SysconfVar::_NPROCESSORS_CONF).ok().flatten();
        Some(MachineInfo {
            kernel_release: uname().ok()?.release().to_string_lossy().into_owned(),
            boot_id: boot_id.trim().to_owned(),
            cpus: cpus.map_or(1, |cpus| cpus as u32),
        })
    }

    /// Which counters are available on this machine.
    pub(super) fn availability(&mut self) -> PerCounter<Availability> {
        let known = self.frame().map_or([None; Counter::ALL.len()], |frame| frame.counters);
        Counter::ALL.map(|counter| match known[counter.index()] {
            Some(_) => Availability::Available,
            None => Availability::Absent { reason: self.absence(counter, known[Counter::RxBytes.index()]) },
        })
    }

    /// Why a counter is missing, and how to fix that. `net_dev` is a count from the file `net/dev`,
    /// or `None` if the file is not readable. The value of the count does not matter.
    fn absence(&self, counter: Counter, net_dev: Option<u64>) -> String {
        use Counter::{
            CpuStallUs, EdgeRxBytes, EdgeRxPackets, EdgeTxBytes, EdgeTxPackets, Execs, IoErrors, IoStallUs,
            LatencyNs, LocalBytes, LocalPackets, MemStallUs, MissedEvents, ReadBytes, ReadRequests,
            TimedRequests, WriteBytes, WriteRequests,
        };
        match counter {
            Execs => "the kernel keeps no count of program starts; start khor-collector".to_owned(),
            IoErrors => "the kernel keeps no count of failed requests; start khor-collector".to_owned(),
            CpuStallUs | IoStallUs | MemStallUs => "no PSI on this kernel: boot with psi=1".to_owned(),
            MissedEvents => "only the collector's programs can miss events".to_owned(),
            EdgeRxBytes | EdgeRxPackets | EdgeTxBytes | EdgeTxPackets | LocalBytes | LocalPackets
                if net_dev.is_some() =>
            {
                self.network.unknown_edge()
            }
            ReadBytes | WriteBytes | ReadRequests | WriteRequests | LatencyNs | TimedRequests
                if fs::File::open(self.root.join("diskstats")).is_ok() =>
            {
                self.devices.disks.unknown_disks()
            }
            _ => "not readable in /proc".to_owned(),
        }
    }
}

/// A file in `/proc`, and the function that reads its counters.
type Parser = (&'static str, fn(&mut Devices, &str, &mut Counters));

const FILES: [Parser; 7] = [
    ("stat", |devices, text, counters| {
        stat(text, counters);
        devices.interrupts.stat(text, counters);
    }),
    ("vmstat", |_, text, counters| vmstat(text, counters)),
    ("net/snmp", |_, text, counters| net_snmp(text, counters)),
    ("diskstats", |devices, text, counters| devices.disks.diskstats(text, counters)),
    ("pressure/cpu", |_, text, counters| pressure(text, Counter::CpuStallUs, counters)),
    ("pressure/io", |_, text, counters| pressure(text, Counter::IoStallUs, counters)),
    ("pressure/memory", |_, text, counters| pressure(text, Counter::MemStallUs, counters)),
];

/// Reads `/proc/stat`: context switches, forks and soft interrupts. The first number of the line
/// `softirq` is the total of all soft interrupts.
fn stat(text: &str, counters: &mut Counters) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("ctxt") => set(counters, Counter::Switches, number(words.next())),
            Some("processes") => set(counters, Counter::Forks, number(words.next())),
            Some("softirq") => set(counters, Counter::Softirqs, number(words.next())),
            _ => {}
        }
    }
}

fn number(word: Option<&str>) -> Option<u64> {
    word?.parse().ok()
}

/// Reads `/proc/vmstat`: all page faults, and major page faults.
fn vmstat(text: &str, counters: &mut Counters) {
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("pgfault", count)) => set(counters, Counter::Faults, number(Some(count))),
            Some(("pgmajfault", count)) => set(counters, Counter::MajorFaults, number(Some(count))),
            _ => {}
        }
    }
}

/// Reads `/proc/net/snmp`: the number of retransmits (`RetransSegs`). The first line `Tcp:`
/// contains the names, the second one contains the values.
fn net_snmp(text: &str, counters: &mut Counters) {
    let mut tcp = text.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (Some(heading), Some(values)) = (tcp.next(), tcp.next()) else { return };
    let value = std::iter::zip(heading.split_ascii_whitespace(), values.split_ascii_whitespace())
        .find(|(name, _)| *name == "RetransSegs")
        .and_then(|(_, value)| value.parse().ok());
    set(counters, Counter::Retransmits, value);
}

/// Reads a file of `/proc/pressure`. Sets `counter` to the field `total` in the line `some`: the
/// time that tasks have been stalled, microseconds.
fn pressure(text: &str, counter: Counter, counters: &mut Counters) {
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("some "))
        .and_then(|line| line.split("total=").nth(1))
        .and_then(|total| total.trim().parse().ok());
    set(counters, counter, total);
}
