//! Counters from `/proc`: the fallback without a collector. Coarser, and blind to program starts and cues.

use std::{io, path::PathBuf};

use khor_proto::{Availability, kernel_text};
use nix::{
    sys::utsname::uname,
    time::{ClockId, clock_gettime},
    unistd::{SysconfVar, sysconf},
};

use super::Machine;
use crate::signal::{Counter, Counters, Frame, PerCounter};

/// Reads the counters the kernel itself publishes.
#[derive(Clone, Debug)]
pub(super) struct ProcSource {
    root: PathBuf,
}

impl ProcSource {
    /// Reads below `root`, which is `/proc` but for tests.
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// All counters now; what can't be read is `None`.
    pub(super) fn frame(&self) -> io::Result<Frame> {
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
        let t_ns = now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64;
        let mut counters = [None; Counter::ALL.len()];
        for (file, parse) in FILES {
            if let Ok(text) = kernel_text::read(self.root.join(file)) {
                parse(&text, &mut counters);
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
    pub(super) fn availability(&self) -> PerCounter<Availability> {
        let known = self.frame().map_or([None; Counter::ALL.len()], |frame| frame.counters);
        Counter::ALL.map(|counter| match known[counter.index()] {
            Some(_) => Availability::Available,
            None => Availability::Absent { reason: absence(counter).to_owned() },
        })
    }
}

/// A file below `/proc` and what is read from it.
type Parser = (&'static str, fn(&str, &mut Counters));

const FILES: [Parser; 8] = [
    ("stat", stat),
    ("vmstat", vmstat),
    ("net/dev", net_dev),
    ("net/snmp", net_snmp),
    ("diskstats", diskstats),
    ("pressure/cpu", |text, counters| pressure(text, Counter::CpuStallUs, counters)),
    ("pressure/io", |text, counters| pressure(text, Counter::IoStallUs, counters)),
    ("pressure/memory", |text, counters| pressure(text, Counter::MemStallUs, counters)),
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

/// `/proc/stat`: switches, forks, and interrupts. The first number of `intr` is left out: it also counts CPU-local
/// interrupts such as the timer, which `irq_handler_entry` doesn't see. That of `softirq` is the sum over
/// `/proc/softirqs`.
fn stat(text: &str, counters: &mut Counters) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("ctxt") => set(counters, Counter::Switches, number(words.next())),
            Some("processes") => set(counters, Counter::Forks, number(words.next())),
            Some("softirq") => set(counters, Counter::Softirqs, number(words.next())),
            Some("intr") => {
                let numbered: Option<u64> = words.skip(1).map(|w| w.parse::<u64>().ok()).sum();
                set(counters, Counter::Irqs, numbered);
            }
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

/// `/proc/net/dev`: bytes and packets of all interfaces.
fn net_dev(text: &str, counters: &mut Counters) {
    let mut sums = [0u64; 4];
    for line in text.lines().skip(2) {
        let Some((_, numbers)) = line.split_once(':') else { continue };
        let numbers: Vec<u64> = numbers.split_ascii_whitespace().map_while(|w| w.parse().ok()).collect();
        if let [rx_bytes, rx_packets, _, _, _, _, _, _, tx_bytes, tx_packets, ..] = numbers[..] {
            for (sum, value) in sums.iter_mut().zip([rx_bytes, rx_packets, tx_bytes, tx_packets]) {
                *sum += value;
            }
        }
    }
    let names = [Counter::RxBytes, Counter::RxPackets, Counter::TxBytes, Counter::TxPackets];
    for (counter, sum) in names.into_iter().zip(sums) {
        set(counters, counter, Some(sum));
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

/// `/proc/diskstats`: requests, sectors (512 bytes) and time of whole disks. Devices stacked on others (dm, md,
/// loop) and memory disks are left out, since their traffic is counted below them or never reaches a disk. The time
/// is that of all requests together, in milliseconds, and from when a request was made, so it is a little more than
/// what the collector counts, from when it was issued.
fn diskstats(text: &str, counters: &mut Counters) {
    const SECTOR_BYTES: u64 = 512;
    const NS_PER_MS: u64 = 1_000_000;
    let mut disks: Vec<&str> = Vec::new();
    let mut sums = [0u64; 6];
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, _, name, reads, _, sectors_read, ms_read, writes, _, sectors_written, ms_written, ..] =
            words[..]
        else {
            continue;
        };
        let stacked = ["dm-", "md", "loop", "ram", "zram"].iter().any(|prefix| name.starts_with(prefix));
        if stacked || disks.iter().any(|disk| is_partition_of(name, disk)) {
            continue;
        }
        disks.push(name);
        let figures = [reads, sectors_read, ms_read, writes, sectors_written, ms_written];
        for (sum, word) in sums.iter_mut().zip(figures) {
            *sum += word.parse::<u64>().unwrap_or(0);
        }
    }
    let [reads, sectors_read, ms_read, writes, sectors_written, ms_written] = sums;
    set(counters, Counter::ReadRequests, Some(reads));
    set(counters, Counter::ReadBytes, Some(sectors_read * SECTOR_BYTES));
    set(counters, Counter::WriteRequests, Some(writes));
    set(counters, Counter::WriteBytes, Some(sectors_written * SECTOR_BYTES));
    set(counters, Counter::LatencyNs, Some((ms_read + ms_written) * NS_PER_MS));
    set(counters, Counter::TimedRequests, Some(reads + writes));
}

/// Partitions follow their disk in `diskstats`: `sda` then `sda1`, `nvme0n1` then `nvme0n1p1`. The kernel puts
/// the `p` exactly where the disk's own name ends in a digit: `nvme0n10` is another disk.
fn is_partition_of(name: &str, disk: &str) -> bool {
    let Some(rest) = name.strip_prefix(disk) else { return false };
    let number = if disk.ends_with(|last: char| last.is_ascii_digit()) {
        rest.strip_prefix('p').unwrap_or_default()
    } else {
        rest
    };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
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
    fn interrupts_are_the_numbered_ones() {
        let counters = parsed(stat, "cpu 1 2\nintr 1000 3 0 4\nctxt 55\nprocesses 7\nsoftirq 30 10 20\n");
        assert_eq!(counters[Counter::Irqs.index()], Some(7));
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
    fn interfaces_are_summed() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n  eth0:5 1 0 0 0 0 0 0 7 3 0 0 0 0 0 0\n";
        let counters = parsed(net_dev, text);
        assert_eq!(counters[Counter::RxBytes.index()], Some(15));
        assert_eq!(counters[Counter::TxPackets.index()], Some(5));
    }

    #[test]
    fn an_interface_whose_name_is_no_utf_8_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("net")).unwrap();
        let text = b"Inter-|\n face |\n    lo: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n \xff\xfe: 5 1 0 0 0 0 0 0 7 3 0 0 0 0 0 0\n";
        std::fs::write(dir.path().join("net/dev"), text).unwrap();
        let counters = ProcSource::new(dir.path()).frame().unwrap().counters;
        assert_eq!(counters[Counter::RxBytes.index()], Some(15));
        assert_eq!(counters[Counter::TxBytes.index()], Some(27));
    }

    #[test]
    fn retransmits_are_found_by_name() {
        let counters = parsed(net_snmp, "Ip: a b\nIp: 1 2\nTcp: InSegs RetransSegs InErrs\nTcp: 5 42 0\n");
        assert_eq!(counters[Counter::Retransmits.index()], Some(42));
    }

    #[test]
    fn partitions_and_stacked_devices_are_not_counted_twice() {
        let text = " 8 0 sda 10 0 100 4 20 0 200 3\n 8 1 sda1 9 0 90 0 19 0 190 0\n 253 0 dm-0 9 0 90 0 1 0 1 0\n 259 0 nvme0n1 1 0 1 0 1 0 1 0\n 259 1 nvme0n1p1 1 0 1 0 1 0 1 0\n";
        let counters = parsed(diskstats, text);
        assert_eq!(counters[Counter::ReadBytes.index()], Some(101 * 512));
        assert_eq!(counters[Counter::WriteRequests.index()], Some(21));
        assert_eq!(counters[Counter::LatencyNs.index()], Some(7_000_000));
        assert_eq!(counters[Counter::TimedRequests.index()], Some(32));
    }

    #[test]
    fn a_partition_has_a_p_where_its_disk_ends_in_a_digit_and_only_there() {
        for (name, disk) in [("nvme0n1p2", "nvme0n1"), ("mmcblk0p1", "mmcblk0"), ("sda12", "sda")] {
            assert!(is_partition_of(name, disk), "{name} of {disk}");
        }
        let others =
            [("nvme0n10", "nvme0n1"), ("sdap1", "sda"), ("sdaa", "sda"), ("sda", "sda"), ("sdb1", "sda")];
        for (name, disk) in others {
            assert!(!is_partition_of(name, disk), "{name} of {disk}");
        }
    }

    #[test]
    fn a_machine_without_pressure_files_says_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let source = ProcSource::new(empty.path());
        let availability = source.availability();
        let Availability::Absent { reason } = &availability[Counter::CpuStallUs.index()] else {
            panic!("there is no pressure file")
        };
        assert!(reason.contains("psi=1"), "{reason}");
        assert_eq!(source.frame().unwrap().counters, [None; Counter::ALL.len()]);
    }

    #[test]
    fn the_running_kernel_is_read() {
        let source = ProcSource::new("/proc");
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
