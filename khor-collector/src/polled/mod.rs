//! Reads counts that the kernel keeps in files: pressure, page faults and missed events of the
//! in-kernel programs.
//!
//! A program that counts page faults would slow down each fault, but reading the kernel's own sum
//! takes only a few microseconds. The files are read only while there is a client, and at most ten
//! times a second for all clients together.

mod faults;
mod file;
mod missed;
mod pressure;

use std::path::Path;

use khor_proto::{Availability, Counter};
use parking_lot::Mutex;

pub(crate) use self::missed::Missed;
use self::{faults::Faults, pressure::Pressure};

/// Time between two readings, in nanoseconds. A client with this interval gets a new reading with
/// every sample, because both occur at multiples of the interval.
const REFRESH_NS: u64 = 100_000_000;
/// Time between two readings of missed events, in nanoseconds. It is longer than [`REFRESH_NS`],
/// because reading the missed events costs as much as reading all other files.
const MISSED_REFRESH_NS: u64 = 1_000_000_000;

/// The counters that this module reads. All arrays in this module have the same order.
pub(crate) const COUNTERS: [Counter; 6] = [
    Counter::CpuStallUs,
    Counter::IoStallUs,
    Counter::MemStallUs,
    Counter::Faults,
    Counter::MajorFaults,
    Counter::MissedEvents,
];

/// The reason why the counter of missed events is absent in a scope.
const MACHINE_ONLY: &str = "the kernel counts missed events only for the whole machine";

/// The counts in the order of [`COUNTERS`]; `None` if unknown.
pub(crate) type Values = [Option<u64>; COUNTERS.len()];

/// The open files of the kernel that contain counts, and the counts that were last read from them.
#[derive(Debug)]
pub(crate) struct Polled {
    pressure: Pressure,
    faults: Faults,
    missed: Missed,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    /// Number of the period in which the values were read. A period lasts [`REFRESH_NS`].
    period: Option<u64>,
    /// Number of the period in which the number of missed events was last read. Periods of this
    /// kind last [`MISSED_REFRESH_NS`].
    missed_period: Option<u64>,
    values: Values,
    buffer: Vec<u8>,
}

impl Polled {
    /// Opens the files of the whole machine, in addition to the files in `missed`.
    pub(crate) fn machine(missed: Missed) -> Self {
        let pressure = Path::new("/proc/pressure");
        Self::of(Pressure::open(|resource| pressure.join(resource)), Faults::of_machine(), missed)
    }

    /// Opens the files of the cgroup with this directory. The counts include the cgroups below it.
    pub(crate) fn cgroup(directory: &Path) -> Self {
        let file = |resource: &str| directory.join(format!("{resource}.pressure"));
        Self::of(Pressure::open(file), Faults::of_cgroup(directory), Missed::absent(MACHINE_ONLY))
    }

    /// Opens the files of process `pid`.
    pub(crate) fn process(pid: u32) -> Self {
        let pressure = Pressure::absent("the kernel measures pressure only for cgroups, not for processes");
        Self::of(pressure, Faults::of_process(pid), Missed::absent(MACHINE_ONLY))
    }

    /// Reports all counts as absent, with `reason`.
    pub(crate) fn absent(reason: &str) -> Self {
        Self::of(Pressure::absent(reason), Faults::absent(reason), Missed::absent(reason))
    }

    fn of(pressure: Pressure, faults: Faults, missed: Missed) -> Self {
        Self { pressure, faults, missed, latest: Mutex::default() }
    }

    /// The availability of each counter.
    pub(crate) fn availability(&self) -> [Availability; COUNTERS.len()] {
        let [cpu, io, memory] = self.pressure.availability();
        let faults = self.faults.availability();
        [cpu, io, memory, faults.clone(), faults, self.missed.availability()]
    }

    /// Returns the counts at `now_ns` (`CLOCK_MONOTONIC`). They are at most 100 ms old, except for
    /// the missed events, which are at most one second old.
    pub(crate) fn read(&self, now_ns: u64) -> Values {
        let mut latest = self.latest.lock();
        let period = Some(now_ns / REFRESH_NS);
        if latest.period != period {
            let [cpu, io, memory] = self.pressure.total_us(&mut latest.buffer);
            let (all, major) = self.faults.read(&mut latest.buffer).unzip();
            let [.., mut missed] = latest.values;
            let missed_period = Some(now_ns / MISSED_REFRESH_NS);
            if latest.missed_period != missed_period {
                missed = self.missed.read(&mut latest.buffer);
                latest.missed_period = missed_period;
            }
            latest.values = [cpu, io, memory, all, major, missed];
            latest.period = period;
        }
        latest.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, io_total_us: u64, faults: u64) {
        for resource in ["cpu", "io", "memory"] {
            let text = format!("some avg10=0.00 avg60=0.12 avg300=0.03 total={io_total_us}\n");
            std::fs::write(directory.join(format!("{resource}.pressure")), text).unwrap();
        }
        let text = format!("anon 5\npgfault {faults}\npgmajfault 3\n");
        std::fs::write(directory.join("memory.stat"), text).unwrap();
    }

    #[test]
    fn counts_refresh_at_most_every_100_ms() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 1_234_567, 10);
        let polled = Polled::cgroup(dir.path());
        let first = [Some(1_234_567), Some(1_234_567), Some(1_234_567), Some(10), Some(3), None];
        assert_eq!(polled.read(5 * REFRESH_NS + 1), first);
        write(dir.path(), 1_234_999, 11);
        assert_eq!(polled.read(6 * REFRESH_NS - 1), first);
        assert_eq!(polled.read(6 * REFRESH_NS)[1..4], [Some(1_234_999), Some(1_234_999), Some(11)]);
    }

    #[test]
    fn missed_events_are_read_once_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fdinfo");
        let write = |misses: u64| std::fs::write(&path, format!("recursion_misses:\t{misses}\n")).unwrap();
        write(5);
        let polled = Polled::machine(Missed::open_files([path.clone()]));
        let missed = |now_ns| polled.read(now_ns)[5];
        assert_eq!(missed(0), Some(5));
        write(6);
        assert_eq!((missed(MISSED_REFRESH_NS - 1), missed(MISSED_REFRESH_NS)), (Some(5), Some(6)));
    }

    #[test]
    fn missing_files_are_absent_with_reason() {
        let polled = Polled::cgroup(Path::new("/nonexistent"));
        assert_eq!(polled.read(0), [None; COUNTERS.len()]);
        for availability in polled.availability() {
            assert!(matches!(availability, Availability::Absent { reason } if !reason.is_empty()));
        }
    }

    #[test]
    fn machine_faults_exceed_own_process() {
        let touched = vec![1_u8; 4 << 20];
        let [.., faults, major, _] = Polled::process(std::process::id()).read(0);
        assert!(faults.unwrap() > major.unwrap(), "{faults:?} {major:?} {}", touched.len());
        assert!(Polled::machine(Missed::open([])).read(0)[3] > faults);
    }
}
