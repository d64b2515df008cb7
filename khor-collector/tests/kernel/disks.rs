//! Tests that a disk request counts once, at the disk that does the work.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::PathBuf,
    process::Command,
};

use khor_e2e::{bracket, procfs, skip};
use khor_proto::Counter;
use nix::libc::O_DIRECT;

use crate::{agreement::agrees, disk, turn};

const BYTES: u64 = 8 << 20;

/// A loop device and its file, which is on a real disk. Dropping this value removes both.
struct Loop {
    device: String,
    file: PathBuf,
}

impl Loop {
    fn make(file: PathBuf) -> Option<Self> {
        let mut backing = File::create(&file).expect("creating a file on the disk");
        backing.write_all(&vec![0x5a; BYTES as usize]).expect("the disk has room");
        backing.sync_all().expect("writing to the disk");
        let device = run("losetup", &["-f"])?.trim().to_owned();
        let this = Self { device, file };
        let attached = run("losetup", &[&this.device, this.file.to_str()?]).is_some();
        attached.then_some(this)
    }

    fn name(&self) -> &str {
        self.device.trim_start_matches("/dev/")
    }

    fn open(&self) -> File {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags(O_DIRECT)
            .open(&self.device)
            .expect("opening the loop device")
    }

    /// Writes or reads the whole device with direct I/O. Direct I/O bypasses the page cache of the
    /// loop device, but not the page cache of its file.
    fn transfer(&self, step: impl Fn(&File, &mut [u8], u64)) {
        const CHUNK: usize = 1 << 20;
        let mut buffer = vec![0xa5_u8; CHUNK + 4096];
        let start = buffer.as_ptr().align_offset(4096);
        let device = self.open();
        for offset in (0..BYTES).step_by(CHUNK) {
            step(&device, &mut buffer[start..start + CHUNK], offset);
        }
        device.sync_all().expect("writing to the disk");
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        run("losetup", &["-d", &self.device]);
        let _ = std::fs::remove_file(&self.file);
    }
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn loop_write_counts_once_cached_read_never() {
    let Some(turn) = turn() else { return };
    let Some(stacked) = Loop::make(disk().join("khor-loop")) else { return skip("needs loop devices") };
    // Read the file into the page cache, so that the loop driver need not read from the disk.
    let mut cached = Vec::new();
    File::open(&stacked.file).expect("opening the file").read_to_end(&mut cached).expect("reading the file");
    for (name, kernel, own, step) in [
        (
            Counter::WriteBytes,
            (|disk| disk.write_bytes) as fn(procfs::Disk) -> u64,
            1,
            (|device, chunk, offset| device.write_all_at(chunk, offset).expect("writing to the loop device"))
                as fn(&File, &mut [u8], u64),
        ),
        (
            Counter::ReadBytes,
            |disk| disk.read_bytes,
            0,
            |device, chunk, offset| device.read_exact_at(chunk, offset).expect("reading the loop device"),
        ),
    ] {
        agrees(&turn.collector, |_| {
            let through_loop = || kernel(procfs::disk(stacked.name()));
            let before = through_loop();
            let work = || stacked.transfer(step);
            let counted = bracket(|| turn.collector.sample(), name, || kernel(procfs::disks()), work);
            assert!(through_loop() - before >= BYTES, "the loop device did the work");
            assert!(counted.inner >= own * BYTES, "{name} {counted:?}");
            counted
        });
    }
}

/// A journal writes each commit between two flushes. The kernel completes such a write twice: after
/// the write and after the second flush.
#[test]
fn a_write_between_flushes_is_one_request() {
    const COMMITS: u64 = 50;
    let Some(turn) = turn() else { return };
    let path = disk().join("khor-commits");
    agrees(&turn.collector, |_| {
        let written = || procfs::disks().write_requests;
        let work = || {
            let mut file = File::create(&path).expect("creating a file on the disk");
            for _ in 0..COMMITS {
                file.write_all(&[0x5a; 4096]).and_then(|()| file.sync_all()).expect("the disk has room");
            }
        };
        let counted = bracket(|| turn.collector.sample(), Counter::WriteRequests, written, work);
        assert!(counted.inner >= COMMITS, "{counted:?}");
        counted
    });
    std::fs::remove_file(path).expect("removing the file");
}

#[test]
fn loop_device_requests_are_not_timed() {
    let Some(turn) = turn() else { return };
    let Some(stacked) = Loop::make(disk().join("khor-loop-times")) else { return skip("needs loop devices") };
    agrees(&turn.collector, |_| {
        let requests = || procfs::disks().requests;
        let loop_before = procfs::disk(stacked.name()).requests;
        let work = || {
            stacked.transfer(|device, chunk, offset| {
                device.read_exact_at(chunk, offset).expect("reading the loop device");
            });
        };
        let timed = || turn.collector.sample();
        let counted = bracket(timed, Counter::TimedRequests, requests, work);
        assert!(procfs::disk(stacked.name()).requests > loop_before, "the loop device did the work");
        // khor may fail to time requests of other programs, so khor's count may be lower than the
        // kernel's count, but not higher.
        khor_e2e::Bracket { inner: counted.inner.min(counted.ours), ..counted }
    });
}
