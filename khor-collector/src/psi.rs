//! Pressure stall information: how long tasks waited for CPU, I/O and memory, as the kernel tells in /proc.
//!
//! Read at most ten times a second however many clients there are, because the kernel itself refreshes its
//! averages only every two seconds and the totals are three reads of /proc; not read at all without a client.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use khor_proto::{Availability, counter};

const REFRESH: Duration = Duration::from_millis(100);

/// The resources, each with its counter, in catalogue order.
pub(crate) const RESOURCES: [(&str, &str); 3] =
    [("cpu", counter::CPU_STALL_US), ("io", counter::IO_STALL_US), ("memory", counter::MEM_STALL_US)];

/// Open pressure files and what they said last.
#[derive(Debug)]
pub(crate) struct Psi {
    files: [Result<File, String>; 3],
    latest: Mutex<Option<(Instant, [Option<u64>; 3])>>,
}

impl Psi {
    /// Opens the files below `directory`, normally `/proc/pressure`.
    pub(crate) fn open(directory: &Path) -> Self {
        let files = RESOURCES.map(|(resource, _)| {
            let file = File::open(directory.join(resource)).map_err(|error| unavailable(&error))?;
            total_us(&file).map(|_| file).map_err(|error| unavailable(&error))
        });
        Self { files, latest: Mutex::new(None) }
    }

    /// Which of the three can be read.
    pub(crate) fn availability(&self) -> [Availability; 3] {
        self.files.each_ref().map(|file| match file {
            Ok(_) => Availability::Available,
            Err(reason) => Availability::Absent { reason: reason.clone() },
        })
    }

    /// Total stalled time of each resource, µs, at most 100 ms old.
    pub(crate) fn read(&self, now: Instant) -> [Option<u64>; 3] {
        let mut latest = self.latest.lock().expect("nothing panics holding it");
        if let Some((read_at, totals)) = *latest
            && now.saturating_duration_since(read_at) < REFRESH
        {
            return totals;
        }
        let totals = self.files.each_ref().map(|file| total_us(file.as_ref().ok()?).ok());
        *latest = Some((now, totals));
        totals
    }
}

fn unavailable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "this kernel was built without PSI (CONFIG_PSI)".into(),
        // Built in but off, the kernel answers EOPNOTSUPP.
        std::io::ErrorKind::Unsupported => "PSI is off on this kernel: boot with psi=1".into(),
        _ => format!("/proc/pressure cannot be read: {error}"),
    }
}

fn total_us(file: &File) -> std::io::Result<u64> {
    let mut buffer = [0; 256];
    let length = file.read_at(&mut buffer, 0)?;
    let text = String::from_utf8_lossy(&buffer[..length]);
    parse_total_us(&text).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

/// The `total=` of the line that starts with `some`.
fn parse_total_us(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: &str = "some avg10=0.00 avg60=0.12 avg300=0.03 total=1234567\n";

    #[test]
    fn total_is_the_some_line_s() {
        let both = format!("{SOME}full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
        assert_eq!(parse_total_us(&both), Some(1_234_567));
        assert_eq!(parse_total_us("full total=9\n"), None);
        assert_eq!(parse_total_us(""), None);
    }

    #[test]
    fn totals_are_refreshed_ten_times_a_second_at_most() {
        let dir = tempfile::tempdir().unwrap();
        for (resource, _) in RESOURCES {
            std::fs::write(dir.path().join(resource), SOME).unwrap();
        }
        let psi = Psi::open(dir.path());
        let start = Instant::now();
        assert_eq!(psi.read(start), [Some(1_234_567); 3]);
        std::fs::write(dir.path().join("io"), SOME.replace("1234567", "1234999")).unwrap();
        assert_eq!(psi.read(start + REFRESH / 2)[1], Some(1_234_567));
        assert_eq!(psi.read(start + REFRESH)[1], Some(1_234_999));
    }

    #[test]
    fn kernel_without_psi_leaves_the_counters_absent() {
        let psi = Psi::open(Path::new("/nonexistent"));
        assert_eq!(psi.read(Instant::now()), [None; 3]);
        assert!(
            psi.availability()
                .iter()
                .all(|one| matches!(one, Availability::Absent { reason } if reason.contains("PSI")))
        );
    }
}
