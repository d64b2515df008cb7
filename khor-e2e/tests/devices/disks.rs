//! Tests how many times the same data counts on each kind of block device.
//!
//! Only these tests use the disks `vdb` and `vdc`. The disks discard all data, which does not
//! affect the counts. Some tests use them as two paths to one disk, others as the two mirrors of a
//! RAID 1.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    ops::RangeInclusive,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use khor_e2e::{engine::program, namespace::run_command};
use nix::libc::O_DIRECT;

use crate::{Turn, turn};

/// Number of bytes that each test writes and reads. It is small, because an emulated processor
/// encrypts slowly.
const BYTES: u64 = 4 << 20;
/// Number of bytes that a file system may add to the data.
const SLACK: u64 = 256 << 10;
/// Expected count of bytes if the data counts once.
const ONCE: RangeInclusive<u64> = BYTES..=BYTES + SLACK;
/// Expected count of bytes if the data counts twice.
const TWICE: RangeInclusive<u64> = 2 * BYTES..=2 * BYTES + SLACK;
/// Expected count of bytes if the data does not count.
const NONE: RangeInclusive<u64> = 0..=SLACK;

/// Runs `work`. Checks that the numbers of bytes that the collector and `/proc` count are in the
/// ranges `read` and `written`. `name` is the row's name in the table.
fn row(
    turn: &Turn,
    name: &str,
    read: RangeInclusive<u64>,
    written: RangeInclusive<u64>,
    work: impl FnOnce(),
) {
    turn.sources().measure_disks(work).check(name, [("read", read), ("written", written)]);
}

/// Writes [`BYTES`] to a device and reads them back, both without the page cache.
fn write_and_read(device: &Path) {
    write(device);
    read(device);
}

fn write(device: &Path) {
    let mut file = direct(OpenOptions::new().write(true), device);
    chunks(|chunk| file.write_all(chunk).expect("writing to the device"));
    file.sync_all().expect("writing to the device");
}

fn read(device: &Path) {
    let mut file = direct(OpenOptions::new().read(true), device);
    chunks(|chunk| file.read_exact(chunk).expect("reading from the device"));
}

fn direct(options: &mut OpenOptions, device: &Path) -> File {
    let opened = options.custom_flags(O_DIRECT).open(device);
    opened.unwrap_or_else(|error| panic!("{}: {error}", device.display()))
}

/// Divides [`BYTES`] bytes into chunks of 1 MiB, and calls `each` with a buffer for each chunk. The
/// buffer is aligned for direct I/O.
fn chunks(mut each: impl FnMut(&mut [u8])) {
    const CHUNK: usize = 1 << 20;
    const ALIGNMENT: usize = 4096;
    let mut buffer = vec![0x5a; CHUNK + ALIGNMENT];
    let start = buffer.as_ptr().align_offset(ALIGNMENT);
    (0..BYTES / CHUNK as u64).for_each(|_| each(&mut buffer[start..start + CHUNK]));
}

/// A device-mapper device; removed when dropped.
struct Mapped(&'static str);

impl Mapped {
    /// Creates the device `name` with a size of [`BYTES`]. `arguments` are the target's type and
    /// parameters.
    fn new(name: &'static str, arguments: &str) -> Self {
        dmsetup(&["create", name, "--table", &format!("0 {} {arguments}", BYTES / 512)]);
        Self(name)
    }

    fn path(&self) -> PathBuf {
        Path::new("/dev/mapper").join(self.0)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        dmsetup(&["remove", "--retry", self.0]);
    }
}

fn dmsetup(arguments: &[&str]) {
    // No udev runs in these machines, so dmsetup must create the device's node.
    let output = Command::new("dmsetup").args(arguments).env("DM_DISABLE_UDEV", "1").output();
    let output = output.expect("starting dmsetup");
    assert!(output.status.success(), "dmsetup {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn plain_disk_counts_once() {
    let turn = turn();
    row(&turn, "plain disk", ONCE, ONCE, || write_and_read("/dev/vdb".as_ref()));
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn loop_writes_count_once_cached_reads_never() {
    let turn = turn();
    let file = program("khor").with_file_name("loop-file");
    // Write all blocks now, so that the file system writes no metadata during the measurement.
    fs::write(&file, vec![1; BYTES as usize]).expect("writing the loop file");
    File::open(&file).and_then(|file| file.sync_all()).expect("syncing the loop file");
    let device = run_command("losetup -f");
    let device = Path::new(device.trim());
    run_command(&format!("losetup {} {}", device.display(), file.display()));
    row(&turn, "loop device, write", NONE, ONCE, || write(device));
    row(&turn, "loop device, cached read", NONE, NONE, || read(device));
    run_command(&format!("losetup -d {}", device.display()));
    fs::remove_file(file).expect("removing the loop file");
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn dm_linear_counts_once() {
    row_of_mapped("dm-linear", "linear /dev/vdb 0");
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn dm_crypt_counts_once() {
    let key = "0123456789abcdef".repeat(4);
    row_of_mapped("dm-crypt", &format!("crypt aes-xts-plain64 {key} 0 /dev/vdb 0"));
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn request_based_dm_multipath_counts_once() {
    let paths = "round-robin 0 2 1 /dev/vdb 100 /dev/vdc 100";
    row_of_mapped("dm-multipath", &format!("multipath 2 queue_mode mq 0 1 1 {paths}"));
}

fn row_of_mapped(name: &'static str, arguments: &str) {
    let turn = turn();
    let device = Mapped::new(name, arguments);
    row(&turn, name, ONCE, ONCE, || write_and_read(&device.path()));
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn raid1_counts_the_work_of_both_mirrors() {
    let turn = turn();
    let raid = Raid1::new(["vdb", "vdc"]);
    row(&turn, "raid1", ONCE, TWICE, || write_and_read(Path::new("/dev/md_khor")));
    drop(raid);
}

/// A RAID 1 without metadata, created through sysfs; stopped when dropped.
struct Raid1(PathBuf);

impl Raid1 {
    fn new(disks: [&str; 2]) -> Self {
        fs::write("/sys/module/md_mod/parameters/new_array", "md_khor").expect("creating the array md_khor");
        let settings = PathBuf::from("/sys/block/md_khor/md");
        let set = |name: &str, value: &str| {
            let written = fs::write(settings.join(name), value);
            written.unwrap_or_else(|error| panic!("md's {name}={value}: {error}"));
        };
        set("metadata_version", "none");
        set("level", "raid1");
        set("raid_disks", "2");
        set("component_size", &(BYTES / 1024).to_string());
        for (slot, disk) in disks.into_iter().enumerate() {
            let number =
                fs::read_to_string(format!("/sys/block/{disk}/dev")).expect("the disk's device number");
            set("new_dev", number.trim());
            set(&format!("dev-{disk}/slot"), &slot.to_string());
        }
        // Mark the mirrors as equal, so that md does not copy one to the other.
        set("resync_start", "none");
        set("array_state", "active");
        Self(settings)
    }
}

impl Drop for Raid1 {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("array_state"), "clear");
    }
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn nvme_with_two_paths_counts_once() {
    let turn = turn();
    let mut names = block_devices();
    names.retain(|name| name.starts_with("nvme"));
    // `nvme0c0n1` and `nvme0c1n1` are the paths of `nvme0n1`.
    let (paths, heads): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.contains('c'));
    assert_eq!((paths.len(), heads.len()), (2, 1), "{names:?}");
    row(&turn, "NVMe multipath", ONCE, ONCE, || write_and_read(&Path::new("/dev").join(heads[0])));
}

fn block_devices() -> Vec<String> {
    let devices = fs::read_dir("/sys/block").expect("reading /sys/block").flatten();
    devices.map(|device| device.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
#[ignore = "only in a virtual machine of `cargo xtask vm`"]
fn zram_does_not_count() {
    let turn = turn();
    fs::write("/sys/block/zram0/disksize", BYTES.to_string()).expect("setting the size of zram0");
    row(&turn, "zram", NONE, NONE, || write_and_read("/dev/zram0".as_ref()));
    fs::write("/sys/block/zram0/reset", "1").expect("resetting zram0");
}
