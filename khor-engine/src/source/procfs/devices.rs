//! Totals that never fall, from the counts in `/proc` of each interface, disk and interrupt line.
//!
//! The kernel removes the counts of a device together with the device. A plain sum would fall when
//! a device disappears, and jump when a device appears.

use crate::signal::{Accumulator, Counter, Counters};

use super::set;

/// The counts of all devices.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices {
    interfaces: Accumulator<String, 4>,
    disks: Accumulator<String, 6>,
    interrupts: Accumulator<usize, 1>,
}

impl Devices {
    /// `/proc/net/dev`: bytes and packets of all interfaces.
    pub(super) fn net_dev(&mut self, text: &str, counters: &mut Counters) {
        let totals = self.interfaces.take(text.lines().skip(2).filter_map(interface));
        let names = [Counter::RxBytes, Counter::RxPackets, Counter::TxBytes, Counter::TxPackets];
        for (counter, total) in names.into_iter().zip(totals) {
            set(counters, counter, Some(total));
        }
    }

    /// `/proc/diskstats`: requests, sectors (512 bytes) and time of whole disks. Devices stacked on
    /// others (dm, md, loop) and memory disks are skipped, because their traffic is counted below
    /// them or never reaches a disk. The time is the sum over all requests, in milliseconds, from
    /// the moment a request was made. The collector counts a little less, from the moment a request
    /// was issued.
    pub(super) fn diskstats(&mut self, text: &str, counters: &mut Counters) {
        const SECTOR_BYTES: u64 = 512;
        const NS_PER_MS: u64 = 1_000_000;
        let totals = self.disks.take(whole_disks(text));
        let [reads, sectors_read, ms_read, writes, sectors_written, ms_written] = totals;
        set(counters, Counter::ReadRequests, Some(reads));
        set(counters, Counter::ReadBytes, Some(sectors_read * SECTOR_BYTES));
        set(counters, Counter::WriteRequests, Some(writes));
        set(counters, Counter::WriteBytes, Some(sectors_written * SECTOR_BYTES));
        set(counters, Counter::LatencyNs, Some((ms_read + ms_written) * NS_PER_MS));
        set(counters, Counter::TimedRequests, Some(reads + writes));
    }

    /// The `intr` line of `/proc/stat`, with a count for each interrupt line. The first number is
    /// skipped: it includes CPU-local interrupts such as the timer, which `irq_handler_entry` does
    /// not report. When a driver is unloaded, its count disappears.
    pub(super) fn stat(&mut self, text: &str, counters: &mut Counters) {
        let Some(line) = text.lines().find_map(|line| line.strip_prefix("intr ")) else { return };
        let counts = line.split_ascii_whitespace().skip(1).map(str::parse::<u64>).enumerate();
        let [total] = self.interrupts.take(counts.filter_map(|(line, count)| Some((line, [count.ok()?]))));
        set(counters, Counter::Irqs, Some(total));
    }
}

/// An interface with its bytes and packets: first received, then sent.
fn interface(line: &str) -> Option<(String, [u64; 4])> {
    let (name, numbers) = line.split_once(':')?;
    let numbers: Vec<u64> = numbers.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
    match numbers[..] {
        [rx_bytes, rx_packets, _, _, _, _, _, _, tx_bytes, tx_packets, ..] => {
            Some((name.trim().to_owned(), [rx_bytes, rx_packets, tx_bytes, tx_packets]))
        }
        _ => None,
    }
}

/// Disks with their reads, read sectors and read milliseconds, then the same for writes.
fn whole_disks(text: &str) -> Vec<(String, [u64; 6])> {
    let mut disks: Vec<(String, [u64; 6])> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, _, name, reads, _, sectors_read, ms_read, writes, _, sectors_written, ms_written, ..] =
            words[..]
        else {
            continue;
        };
        let stacked = ["dm-", "md", "loop", "ram", "zram"].iter().any(|prefix| name.starts_with(prefix));
        if stacked || disks.iter().any(|(disk, _)| is_partition_of(name, disk)) {
            continue;
        }
        let figures = [reads, sectors_read, ms_read, writes, sectors_written, ms_written];
        let figures = figures.map(|word| word.parse::<u64>().unwrap_or(0));
        disks.push((name.to_owned(), figures));
    }
    disks
}

/// Partitions follow their disk in `diskstats`: `sda` then `sda1`, `nvme0n1` then `nvme0n1p1`. The
/// kernel adds the `p` exactly if the disk's own name ends in a digit, so `nvme0n10` is another
/// disk.
fn is_partition_of(name: &str, disk: &str) -> bool {
    let Some(rest) = name.strip_prefix(disk) else { return false };
    let number = if disk.ends_with(|last: char| last.is_ascii_digit()) {
        rest.strip_prefix('p').unwrap_or_default()
    } else {
        rest
    };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counters after each of several readings of the same file.
    fn read<const N: usize>(
        parse: fn(&mut Devices, &str, &mut Counters),
        counter: Counter,
        texts: [&str; N],
    ) -> [Option<u64>; N] {
        let mut devices = Devices::default();
        texts.map(|text| {
            let mut counters = [None; Counter::ALL.len()];
            parse(&mut devices, text, &mut counters);
            counters[counter.index()]
        })
    }

    fn net_dev(interfaces: &[(&str, u64, u64)]) -> String {
        let line = |(name, rx, tx): &(&str, u64, u64)| {
            format!("  {name}:{rx:>8} {rx} 0 0 0 0 0 0 {tx:>8} {tx} 0 0 0 0 0 0\n")
        };
        let lines: String = interfaces.iter().map(line).collect();
        format!("Inter-|   Receive\n face |bytes\n{lines}")
    }

    #[test]
    fn interfaces_are_summed() {
        let first = net_dev(&[("lo", 10, 20), ("eth0", 5, 7)]);
        let second = net_dev(&[("lo", 13, 20), ("eth0", 9, 8)]);
        let texts = [first.as_str(), &second];
        assert_eq!(read(Devices::net_dev, Counter::RxBytes, texts), [Some(0), Some(7)]);
        assert_eq!(read(Devices::net_dev, Counter::TxPackets, texts), [Some(0), Some(1)]);
    }

    #[test]
    fn an_interface_that_appears_or_disappears_changes_no_total() {
        const GB_500: u64 = 500_000_000_000;
        let steps = [
            net_dev(&[("eth0", 100, 0)]),
            net_dev(&[("eth0", 110, 0), ("veth3", GB_500, 0)]),
            net_dev(&[("eth0", 120, 0), ("veth3", GB_500 + 1, 0)]),
            net_dev(&[("eth0", 130, 0)]),
            net_dev(&[("eth0", 140, 0), ("veth3", GB_500, 0)]),
            net_dev(&[("eth0", 3, 0)]),
            net_dev(&[("eth0", 5, 0)]),
        ];
        let totals = read(Devices::net_dev, Counter::RxBytes, steps.each_ref().map(String::as_str));
        assert_eq!(totals, [0, 10, 21, 31, 41, 41, 43].map(Some));
    }

    #[test]
    fn a_disk_that_is_unplugged_and_one_that_is_plugged_in_change_no_total() {
        let disk = |name: &str, reads: u64| format!(" 8 0 {name} {reads} 0 {reads} 0 0 0 0 0\n");
        let steps = [
            disk("sda", 10) + &disk("sdb", 1_000_000),
            disk("sda", 11) + &disk("sdb", 1_000_001),
            disk("sda", 12),
            disk("sda", 13) + &disk("sdb", 5_000_000),
            disk("sda", 14) + &disk("sdb", 5_000_001),
        ];
        let totals = read(Devices::diskstats, Counter::ReadRequests, steps.each_ref().map(String::as_str));
        assert_eq!(totals, [0, 2, 3, 4, 6].map(Some));
    }

    #[test]
    fn partitions_and_stacked_devices_are_not_counted_twice() {
        let before = " 8 0 sda 0 0 0 0 0 0 0 0\n 8 1 sda1 0 0 0 0 0 0 0 0\n 253 0 dm-0 0 0 0 0 0 0 0 0\n 259 0 nvme0n1 0 0 0 0 0 0 0 0\n 259 1 nvme0n1p1 0 0 0 0 0 0 0 0\n";
        let after = " 8 0 sda 10 0 100 4 20 0 200 3\n 8 1 sda1 9 0 90 0 19 0 190 0\n 253 0 dm-0 9 0 90 0 1 0 1 0\n 259 0 nvme0n1 1 0 1 0 1 0 1 0\n 259 1 nvme0n1p1 1 0 1 0 1 0 1 0\n";
        for (counter, value) in [
            (Counter::ReadBytes, 101 * 512),
            (Counter::WriteRequests, 21),
            (Counter::LatencyNs, 7_000_000),
            (Counter::TimedRequests, 32),
        ] {
            assert_eq!(read(Devices::diskstats, counter, [before, after])[1], Some(value), "{counter:?}");
        }
    }

    #[test]
    fn only_numbered_interrupts_count_and_an_unloaded_driver_does_not_lower_the_total() {
        let steps =
            ["cpu 1\nintr 1000 3 0 4\nctxt 9\n", "intr 1000 5 0 9\n", "intr 1000 6 0 0\n", "intr 9 7 0 2\n"];
        assert_eq!(read(Devices::stat, Counter::Irqs, steps), [0, 7, 8, 11].map(Some));
        assert_eq!(read(Devices::stat, Counter::Irqs, ["ctxt 9\n"]), [None]);
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
}
