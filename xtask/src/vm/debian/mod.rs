//! `cargo xtask vm debian`: tests khor's package in a complete Debian system with systemd.
//!
//! These tests need a complete system, while the other virtual machines contain only a kernel. They
//! test that units, users, directories and the bus's policy work together. They also test that the
//! collector survives kills, hangs and a suspend, and that MIDI and sound reach ALSA. The tests are
//! in `khor-e2e/tests/system` and `khor-engine/output/tests/alsa`.
//!
//! [`image`] creates the Debian system once. [`payload`] adds khor's packages, which are installed
//! before systemd starts. One test removes and purges the package khor, and installs it into the
//! running system. The image never changes, because qemu discards the machine's writes.
//!
//! A container cannot replace the virtual machine, because the tests suspend the kernel. The tests
//! are built on this machine, so its C library must not be newer than Debian 12's. Otherwise the
//! tests do not start, and the console shows the reason.

mod image;
mod outside;
mod payload;

use std::fs;

use anyhow::Result;

pub(super) use outside::Outside;

use super::{VmArgs, folder::home, kernel, machine::Setup, modules};

/// Name of the machine on the command line and in reports.
const NAME: &str = "debian";
/// Drivers for the disk, the root file system, a network card, a sequencer, and a sound card that
/// records its own output. This kernel's ext4 needs `crc32c_generic`, but does not declare it.
const MODULES: [&str; 8] = [
    "virtio_pci",
    "virtio_blk",
    "crc32c_generic",
    "ext4",
    "virtio_net",
    "snd_seq",
    "snd_hrtimer",
    "snd_aloop",
];
/// Options that keep all text except the tests' output off the console.
const COMMAND_LINE: &str = "systemd.mask=serial-getty@ttyS0.service systemd.show_status=no";

/// Creates all files that qemu needs to boot the machine.
pub(super) fn prepare(args: &VmArgs) -> Result<Setup> {
    let kernel = kernel::DEBIAN.get(args.mirror.as_deref())?;
    let disk = image::get(args.mirror.as_deref())?;
    let folder = home().join("machines").join(NAME);
    fs::create_dir_all(&folder)?;
    let modules = modules::load_all(&kernel, &MODULES)?;
    let outside = Outside::prepare(&folder)?;
    let initramfs = payload::pack(&folder, &modules, args.only.as_deref(), &outside.public_key()?)?;
    Ok(Setup {
        name: NAME,
        kernel,
        folder,
        initramfs,
        disk,
        keeps_disk: false,
        memory_mib: 1024,
        devices: outside.qemu_options().to_vec(),
        outside: Some(outside),
        command_line: COMMAND_LINE,
    })
}
