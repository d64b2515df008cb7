//! `cargo xtask vm e2e`: what was built, in a whole Debian with systemd as its first process.
//!
//! What the small machines cannot show: that units, users, directories and the bus's policy fit each other, and that a
//! collector lives through being killed, hanging and a suspended machine. [`debian`] makes the system, once; what was
//! built comes in the [`payload`], and is put where a package puts it before systemd starts. The system itself is never
//! changed: what a machine writes is thrown away. The tests are `khor-e2e/tests/system`.
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
/// The kernel of Debian 12.
const SERIES: &str = "6.1";
/// How long it may take: three minutes on two processors shared with two other machines.
const PATIENCE: Duration = Duration::from_mins(8);
/// The disk, and what carries the root file system if it is not built in.
const MODULES: [&str; 3] = ["virtio_pci", "virtio_blk", "ext4"];
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
