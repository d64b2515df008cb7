//! `cargo xtask vm debian`: the package and the tests in a whole Debian with systemd as its first process.
//!
//! It shows what the small machines cannot: that units, users, directories and the bus's policy fit each other, that a
//! collector survives kills, hangs and a suspended machine, and that MIDI and sound reach ALSA. [`image`] makes the system
//! once. [`payload`] brings the package that users install, which is installed before systemd starts; a test removes and
//! purges it, and installs it into the running system. The image is never changed: what a machine writes is thrown away.
//! The tests are `khor-e2e/tests/system` and `khor-engine/tests/alsa`.
//!
//! A container would not do: it has no kernel of its own to suspend. The tests are built here, so their C library must not be
//! newer than Debian 12's; otherwise they end before they begin, and say so.

mod image;
mod payload;

use std::fs;

use anyhow::Result;

use super::{VmArgs, home, kernel, machine::Setup, modules};

/// Its name on the command line and in reports.
const NAME: &str = "debian";
/// The disk, the root file system if it is not built in, a sequencer, and a sound card that plays into its own other side;
/// the third is what that kernel's ext4 needs without saying so.
const MODULES: [&str; 7] =
    ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "snd_seq", "snd_hrtimer", "snd_aloop"];
/// The console is for the tests' results alone.
const COMMAND_LINE: &str = "systemd.mask=serial-getty@ttyS0.service systemd.show_status=no";

/// Everything that is needed to boot it.
pub(super) fn prepare(args: &VmArgs) -> Result<Setup> {
    let kernel = kernel::DEBIAN.get(args.mirror.as_deref())?;
    let disk = image::get(args.mirror.as_deref())?;
    let folder = home().join("machines").join(NAME);
    fs::create_dir_all(&folder)?;
    let modules = modules::load_all(&kernel, &MODULES)?;
    let initramfs = payload::pack(&folder, &modules, args.only.as_deref())?;
    Ok(Setup {
        name: NAME,
        kernel,
        folder,
        initramfs,
        disk,
        keeps_disk: false,
        memory_mib: 1024,
        command_line: COMMAND_LINE,
    })
}
