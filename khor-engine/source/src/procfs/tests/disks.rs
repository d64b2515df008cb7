//! Tests which devices' requests are counted. Plain files replace `/proc` and sysfs.

use std::fs;

use tempfile::TempDir;

use super::*;

/// The devices of the simulated machine: major number, name, and folders in sysfs.
const DEVICES: [(u32, &str, &[&str]); 14] = [
    (8, "sda", &["mq", "slaves"]),
    (8, "sda1", &[]),
    (259, "nvme0c0n1", &["mq", "slaves"]),
    (259, "nvme0n1", &["slaves"]),
    (259, "nvme0n1p1", &[]),
    (7, "loop0", &["mq", "slaves"]),
    (253, "dm-0", &["slaves/sda"]),
    (253, "dm-1", &["mq", "slaves/sda"]),
    (9, "md0", &["slaves/sda"]),
    (252, "bcache0", &["slaves/sda"]),
    (251, "zram0", &["slaves"]),
    (1, "ram0", &["slaves"]),
    (254, "vda", &["mq", "slaves"]),
    (104, "cciss/c0d0", &["mq", "slaves"]),
];

struct Fake(TempDir);

impl Fake {
    fn new() -> Self {
        let fake = Self(tempfile::tempdir().unwrap());
        let block = fake.0.path().join("sys/block");
        for (_, name, entries) in DEVICES.iter().filter(|(_, _, entries)| !entries.is_empty()) {
            for entry in *entries {
                fs::create_dir_all(block.join(name.replace('/', "!")).join(entry)).unwrap();
            }
        }
        fake
    }

    fn source(&self) -> ProcSource {
        ProcSource::below(self.0.path(), &self.0.path().join("sys"))
    }

    /// Sets the number of reads of each device. Each read is one sector long.
    fn reads(&self, of: impl Fn(usize, &str) -> Option<u64>) {
        let line = |(i, (major, name, _)): (usize, &(u32, &str, &[&str]))| {
            of(i, name).map(|reads| format!(" {major} 0 {name} {reads} 0 {reads} 4 0 0 0 0 0 0 0\n"))
        };
        let lines: String = DEVICES.iter().enumerate().filter_map(line).collect();
        fs::write(self.0.path().join("diskstats"), lines).unwrap();
    }
}

fn reads(source: &mut ProcSource) -> Option<u64> {
    source.frame().unwrap().counters[Counter::ReadRequests.index()]
}

#[test]
fn request_counts_once_at_serving_device() {
    let fake = Fake::new();
    let mut source = fake.source();
    fake.reads(|_, _| Some(0));
    assert_eq!(reads(&mut source), Some(0));
    fake.reads(|i, _| Some(1 << i));
    let serving = ["sda", "nvme0c0n1", "vda", "cciss/c0d0"];
    let expected: u64 =
        (0..DEVICES.len()).filter(|i| serving.contains(&DEVICES[*i].1)).map(|i| 1_u64 << i).sum();
    assert_eq!(reads(&mut source), Some(expected));
    let frame = source.frame().unwrap();
    assert_eq!(frame.counters[Counter::ReadBytes.index()], Some(expected * 512));
}

#[test]
fn hotplugged_disk_changes_no_total() {
    let fake = Fake::new();
    let mut source = fake.source();
    let mut totals = Vec::new();
    for (sda, vda) in [
        (10, Some(1_000_000)),
        (11, Some(1_000_001)),
        (12, None),
        (13, Some(5_000_000)),
        (14, Some(5_000_001)),
    ] {
        fake.reads(|_, name| match name {
            "sda" => Some(sda),
            "vda" => vda,
            _ => None,
        });
        totals.push(reads(&mut source));
    }
    assert_eq!(totals, [0, 2, 3, 4, 6].map(Some));
}

#[test]
fn changed_disk_stack_is_detected() {
    let fake = Fake::new();
    let mut source = fake.source();
    fs::remove_dir(fake.0.path().join("sys/block/dm-1/slaves/sda")).unwrap();
    let mut count = 0;
    let mut rise = |source: &mut ProcSource| {
        count += 1;
        fake.reads(|_, name| (name == "dm-1").then_some(count));
        reads(source)
    };
    rise(&mut source);
    assert_eq!(rise(&mut source), Some(1));
    fs::create_dir(fake.0.path().join("sys/block/dm-1/slaves/sda")).unwrap();
    let later: Vec<_> = (0..20).map(|_| rise(&mut source)).collect();
    assert_eq!(later[10], later[19], "only the disks below dm-1 count now");
}

#[test]
fn missing_sysfs_hides_disk_requests() {
    let fake = Fake::new();
    fake.reads(|_, _| Some(1));
    let mut source = ProcSource::below(fake.0.path(), &fake.0.path().join("none"));
    for _ in 0..3 {
        assert_eq!(reads(&mut source), None);
    }
    let reason_text = reason(&mut source, Counter::LatencyNs);
    assert!(
        reason_text.contains("block is not readable") && reason_text.contains("mount sysfs"),
        "{reason_text}"
    );
    fs::remove_file(fake.0.path().join("diskstats")).unwrap();
    assert_eq!(reason(&mut source, Counter::ReadBytes), "not readable in /proc");
}
