//! `cargo xtask vm e2e`: what was built, in a whole Debian with systemd as its first process.
//!
//! What the small machines cannot show: that units, users, directories and the bus's policy fit each other, and that a
//! collector lives through being killed, hanging and a suspended machine. [`debian`] makes the system, once; what was
//! built comes in the [`payload`] as the package that users install, and is installed before systemd starts; a test removes
//! and purges it, and installs it into the running system. The system's image is never changed: what a machine writes is
//! thrown away. The tests are `khor-e2e/tests/system`.
//!
//! Not a container: it has no kernel of its own to suspend. What is built here must run there, so on a machine whose C
//! library is newer than Debian 12's the tests end before they begin, and say so.

mod debian;
mod payload;

use std::{fs, time::Duration};

use anyhow::Result;

use super::{VmArgs, home, kernel, machine::Setup, modules};

/// How it is called on the command line and in reports.
const NAME: &str = "e2e";
/// The kernel of Debian 12, with its sound drivers.
const SERIES: &str = "sound";
/// How long it may take: three minutes on two processors shared with two other machines.
const PATIENCE: Duration = Duration::from_mins(8);
/// The disk, what carries the root file system if it is not built in, and a sound card that plays into its own other
/// side; the third is what that kernel's ext4 needs without saying so.
const MODULES: [&str; 7] =
    ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "snd_seq", "snd_hrtimer", "snd_aloop"];
/// The console is for the tests' results alone.
const COMMAND_LINE: &str = "systemd.mask=serial-getty@ttyS0.service systemd.show_status=no";

/// All that is needed to boot it.
pub(super) fn prepare(args: &VmArgs) -> Result<Setup> {
    let kernel = kernel::find(SERIES)?.get(args.mirror.as_deref())?;
    let disk = debian::get(args.mirror.as_deref())?;
    let folder = home().join(NAME);
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
        patience: PATIENCE,
    })
}
