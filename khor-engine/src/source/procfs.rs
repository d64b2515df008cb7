//! Counters from `/proc`: the fallback without a collector. Coarser, and blind to program starts and cues.
//!
//! The counts of [`devices`] begin at 0 with the source. All other counts begin when the machine
//! boots.

mod devices;

use std::{io, path::PathBuf};

use khor_proto::{Availability, kernel_text};
use nix::{
    sys::utsname::uname,
    time::{ClockId, clock_gettime},
    unistd::{SysconfVar, sysconf},
};

use self::devices::Devices;
use super::Machine;
use crate::signal::{Counter, Counters, Frame, PerCounter};

/// Reads the counters the kernel itself publishes.
#[derive(Clone, Debug)]
pub(super) struct ProcSource {
    root: PathBuf,
    devices: Devices,
}

impl ProcSource {
    /// Reads below `root`, which is `/proc` but for tests.
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), devices: Devices::default() }
    }

    /// All counters now; what can't be read is `None`.
    pub(super) fn frame(&mut self) -> io::Result<Frame> {
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
        let t_ns = now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64;
        let mut counters = [None; Counter::ALL.len()];
        for (file, parse) in FILES {
            if let Ok(text) = kernel_text::read(self.root.join(file)) {
                parse(&mut self.devices, &text, &mut counters);
            }
        }
        Ok(Frame { t_ns, counters })
    }

    /// The machine this runs on.
    pub(super) fn machine(&self) -> Option<Machine> {
        let boot_id = kernel_text::read(self.root.join("sys/kernel/random/boot_id")).unwrap_or_default();
        let cpus = sysconf(SysconfVar::_NPROCESSORS_CONF).ok().flatten();
        Some(Machine {
            kernel_release: uname().ok()?.release().to_string_lossy().into_owned(),
            boot_id: boot_id.trim().to_owned(),
            cpus: cpus.map_or(1, |cpus| cpus as u32),
        })
    }

    /// What can be counted here.
    pub(super) fn availability(&mut self) -> PerCounter<Availability> {
        let known = self.frame().map_or([None; Counter::ALL.len()], |frame| frame.counters);
        Counter::ALL.map(|counter| match known[counter.index()] {
            Some(_) => Availability::Available,
            None => Availability::Absent { reason: absence(counter).to_owned() },
        })
    }
}

/// A file below `/proc` and what is read from it.
type Parser = (&'static str, fn(&mut Devices, &str, &mut Counters));

const FILES: [Parser; 8] = [
    ("stat", |devices, text, counters| {
        stat(text, counters);
        devices.stat(text, counters);
    }),
    ("vmstat", |_, text, counters| vmstat(text, counters)),
    ("net/dev", Devices::net_dev),
    ("net/snmp", |_, text, counters| net_snmp(text, counters)),
    ("diskstats", Devices::diskstats),
    ("pressure/cpu", |_, text, counters| pressure(text, Counter::CpuStallUs, counters)),
    ("pressure/io", |_, text, counters| pressure(text, Counter::IoStallUs, counters)),
    ("pressure/memory", |_, text, counters| pressure(text, Counter::MemStallUs, counters)),
];

fn absence(counter: Counter) -> &'static str {
    match counter {
        Counter::Execs => "the kernel keeps no count of program starts; start khor-collector",
        Counter::IoErrors => "the kernel keeps no count of failed requests; start khor-collector",
        Counter::CpuStallUs | Counter::IoStallUs | Counter::MemStallUs => {
            "no PSI on this kernel: boot with psi=1"
        }
        _ => "not readable in /proc",
    }
}

fn set(counters: &mut Counters, counter: Counter, value: Option<u64>) {
    counters[counter.index()] = value;
}

/// `/proc/stat`: switches, forks and soft interrupts, whose first number is the sum over
/// `/proc/softirqs`.
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

/// `/proc/vmstat`: page faults, all and major.
fn vmstat(text: &str, counters: &mut Counters) {
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("pgfault", count)) => set(counters, Counter::Faults, number(Some(count))),
            Some(("pgmajfault", count)) => set(counters, Counter::MajorFaults, number(Some(count))),
            _ => {}
        }
    }
}

/// `/proc/net/snmp`: `RetransSegs`, found by its name in the heading line.
fn net_snmp(text: &str, counters: &mut Counters) {
    let mut tcp = text.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (Some(heading), Some(values)) = (tcp.next(), tcp.next()) else { return };
    let value = std::iter::zip(heading.split_ascii_whitespace(), values.split_ascii_whitespace())
        .find(|(name, _)| *name == "RetransSegs")
        .and_then(|(_, value)| value.parse().ok());
    set(counters, Counter::Retransmits, value);
}

/// `/proc/pressure/*`: total of the `some` line, microseconds.
fn pressure(text: &str, counter: Counter, counters: &mut Counters) {
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("some "))
        .and_then(|line| line.split("total=").nth(1))
        .and_then(|total| total.trim().parse().ok());
    set(counters, counter, total);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(parse: fn(&str, &mut Counters), text: &str) -> Counters {
        let mut counters = [None; Counter::ALL.len()];
        parse(text, &mut counters);
        counters
    }

    #[test]
    fn counters_of_the_whole_machine_are_found_by_name() {
        let counters = parsed(stat, "cpu 1 2\nintr 1000 3 0 4\nctxt 55\nprocesses 7\nsoftirq 30 10 20\n");
        assert_eq!(counters[Counter::Switches.index()], Some(55));
        assert_eq!(counters[Counter::Forks.index()], Some(7));
        assert_eq!(counters[Counter::Softirqs.index()], Some(30));
    }

    #[test]
    fn page_faults_are_found_by_name() {
        let counters = parsed(vmstat, "nr_free_pages 9\npgfault 77\npgmajfault 3\n");
        assert_eq!(counters[Counter::Faults.index()], Some(77));
        assert_eq!(counters[Counter::MajorFaults.index()], Some(3));
    }

    #[test]
    fn an_interface_with_a_non_utf_8_name_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("net")).unwrap();
        let write = |received: u32| {
            let mut text =
                b"Inter-|\n face |\n    lo: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n \xff\xfe: ".to_vec();
            text.extend(format!("{received} 1 0 0 0 0 0 0 7 3 0 0 0 0 0 0\n").bytes());
            std::fs::write(dir.path().join("net/dev"), text).unwrap();
        };
        let mut source = ProcSource::new(dir.path());
        write(5);
        source.frame().unwrap();
        write(12);
        assert_eq!(source.frame().unwrap().counters[Counter::RxBytes.index()], Some(7));
    }

    #[test]
    fn retransmits_are_found_by_name() {
        let counters = parsed(net_snmp, "Ip: a b\nIp: 1 2\nTcp: InSegs RetransSegs InErrs\nTcp: 5 42 0\n");
        assert_eq!(counters[Counter::Retransmits.index()], Some(42));
    }

    #[test]
    fn a_machine_without_pressure_files_says_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let mut source = ProcSource::new(empty.path());
        let availability = source.availability();
        let Availability::Absent { reason } = &availability[Counter::CpuStallUs.index()] else {
            panic!("there is no pressure file")
        };
        assert!(reason.contains("psi=1"), "{reason}");
        assert_eq!(source.frame().unwrap().counters, [None; Counter::ALL.len()]);
    }

    #[test]
    fn the_running_kernel_is_read() {
        let mut source = ProcSource::new("/proc");
        let (first, second) = (source.frame().unwrap(), source.frame().unwrap());
        let counters = [
            Counter::Switches,
            Counter::Forks,
            Counter::RxBytes,
            Counter::Retransmits,
            Counter::Softirqs,
            Counter::Faults,
            Counter::MajorFaults,
            Counter::LatencyNs,
            Counter::TimedRequests,
        ];
        for counter in counters {
            let i = counter.index();
            assert!(second.counters[i].unwrap() >= first.counters[i].unwrap(), "{}", counter.name());
        }
    }
}
