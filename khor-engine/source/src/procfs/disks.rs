//! Reads the counts of disk requests in `/proc/diskstats`. Each request is counted once, for the
//! device that serves the request.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use khor_signal::{Accumulator, Counter, Counters};

use super::set::set;

/// Number of readings after which the devices are classified again. The devices below a device (for
/// example the disks of a RAID) can change while the name of the device stays the same.
const READINGS_KEPT: u32 = 10;
/// Major number of loop devices.
const LOOP_MAJOR: &str = "7";

/// Number of reads, number of sectors read and milliseconds of reads, then the same three numbers
/// for writes.
type Requests = [u64; 6];

/// Adds up the I/O requests of all disks.
#[derive(Debug)]
pub(super) struct Disks {
    folder: PathBuf,
    /// Maps the name of each device to whether khor counts the device's requests.
    counted: BTreeMap<String, bool>,
    /// Whether sysfs was readable when the devices were last classified.
    is_known: bool,
    /// Number of readings since the devices were classified.
    age: u32,
    totals: Accumulator<String, 6>,
}

impl Disks {
    /// Creates empty counts. `sys` is `/sys` except in tests; its folder `block` is read.
    pub(super) fn new(sys: &Path) -> Self {
        Self {
            folder: sys.join("block"),
            counted: BTreeMap::new(),
            is_known: false,
            age: 0,
            totals: Accumulator::default(),
        }
    }

    /// Explains why the request counters are missing although `diskstats` is readable, and how to
    /// fix that.
    pub(super) fn unknown_disks(&self) -> String {
        format!(
            "{} is not readable, so khor cannot distinguish disks from devices stacked on them; mount sysfs at /sys",
            self.folder.display()
        )
    }

    /// Reads `/proc/diskstats`: the requests, sectors (512 bytes) and latency of all devices that
    /// serve requests. The latency is the sum over all requests, measured from the creation of each
    /// request. The collector's latency is a little smaller, because it is measured from the time
    /// at which a request is issued to the device.
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

    /// Determines for each device whether its requests are counted, if the devices may have changed
    /// since the last time. Returns `false` if sysfs is not readable.
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

/// Whether a device serves requests itself: it has a request queue (`mq`), and no devices below it.
/// Partitions, md, bcache, zram and `NVMe` multipath heads have no request queue. Request-based
/// device-mapper devices have one, but also have devices below them.
fn serves_requests(folder: &Path, name: &str) -> bool {
    // In sysfs, an exclamation mark replaces the slash in a device's name.
    let device = folder.join(name.replace('/', "!"));
    let has_slaves = || fs::read_dir(device.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
    device.join("mq").is_dir() && !has_slaves()
}

/// Parses the line of a device. Returns `None` for loop devices. Their requests go to memory, or to
/// the disk that contains their file, and that disk counts them.
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
