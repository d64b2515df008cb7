//! Counts requests in `/proc/diskstats`. Each counts once, at the device that serves it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use khor_signal::{Accumulator, Counter, Counters};

use super::set::set;

/// Number of readings after which the devices are classified again. The devices below a device may
/// change while its name stays the same.
const READINGS_KEPT: u32 = 10;
/// Major number of loop devices.
const LOOP_MAJOR: &str = "7";

/// Reads, read sectors and read milliseconds, then the same for writes.
type Requests = [u64; 6];

/// The requests of all disks.
#[derive(Debug)]
pub(super) struct Disks {
    folder: PathBuf,
    /// Whether a device's requests count, by its name.
    counted: BTreeMap<String, bool>,
    /// Whether sysfs was readable.
    is_known: bool,
    /// Readings since the devices were classified.
    age: u32,
    totals: Accumulator<String, 6>,
}

impl Disks {
    /// Reads `block` below `sys`.
    pub(super) fn new(sys: &Path) -> Self {
        Self {
            folder: sys.join("block"),
            counted: BTreeMap::new(),
            is_known: false,
            age: 0,
            totals: Accumulator::default(),
        }
    }

    /// Why the counts of requests are missing although `diskstats` is readable, and how to fix it.
    pub(super) fn unknown_disks(&self) -> String {
        format!(
            "{} is not readable, so khor cannot distinguish disks from devices stacked on them; mount sysfs at /sys",
            self.folder.display()
        )
    }

    /// Reads `/proc/diskstats`: requests, sectors (512 bytes) and time of the devices that serve
    /// requests. The time is the sum over all requests in milliseconds, starting when a request was
    /// made. The collector counts a little less, because it starts when a request was issued.
    pub(super) fn diskstats(&mut self, text: &str, counters: &mut Counters) {
        const SECTOR_BYTES: u64 = 512;
        const NS_PER_MS: u64 = 1_000_000;
        let devices: Vec<(&str, Requests)> = text.lines().filter_map(device).collect();
        if !self.classify(devices.iter().map(|(name, _)| *name)) {
            self.totals.forget_devices();
            return;
        }
        let disks = devices.into_iter().filter(|(name, _)| self.counted.get(*name) == Some(&true));
        let totals = self.totals.take(disks.map(|(name, requests)| (name.to_owned(), requests)));
        let [reads, sectors_read, ms_read, writes, sectors_written, ms_written] = totals;
        set(counters, Counter::ReadRequests, Some(reads));
        set(counters, Counter::ReadBytes, Some(sectors_read * SECTOR_BYTES));
        set(counters, Counter::WriteRequests, Some(writes));
        set(counters, Counter::WriteBytes, Some(sectors_written * SECTOR_BYTES));
        set(counters, Counter::LatencyNs, Some((ms_read + ms_written) * NS_PER_MS));
        set(counters, Counter::TimedRequests, Some(reads + writes));
    }

    /// Classifies these devices again if they may have changed. Returns false if sysfs is not
    /// readable.
    fn classify<'a>(&mut self, names: impl Iterator<Item = &'a str> + Clone) -> bool {
        let is_same = names.clone().count() == self.counted.len()
            && names.clone().all(|name| self.counted.contains_key(name));
        self.age += 1;
        if is_same && self.is_known && self.age < READINGS_KEPT {
            return true;
        }
        self.age = 0;
        self.counted = names.map(|name| (name.to_owned(), serves_requests(&self.folder, name))).collect();
        self.is_known = fs::metadata(&self.folder).is_ok();
        self.is_known
    }
}

/// Whether a device has a request queue and no devices below it. Partitions, md, bcache, zram and
/// `NVMe` multipath heads have no such queue. Request-based device-mapper has one, but also has
/// devices below it.
fn serves_requests(folder: &Path, name: &str) -> bool {
    // A device in a subdirectory of /dev has an exclamation mark in its name in sysfs.
    let device = folder.join(name.replace('/', "!"));
    let has_slaves = || fs::read_dir(device.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
    device.join("mq").is_dir() && !has_slaves()
}

/// Parses a device's line. Skips loop devices: their requests go to the disk of their file, or to
/// memory.
fn device(line: &str) -> Option<(&str, Requests)> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [major, _, name, reads, _, sectors_read, ms_read, writes, _, sectors_written, ms_written, ..] =
        words[..]
    else {
        return None;
    };
    let figures = [reads, sectors_read, ms_read, writes, sectors_written, ms_written];
    (major != LOOP_MAJOR).then(|| (name, figures.map(|word| word.parse().unwrap_or(0))))
}
