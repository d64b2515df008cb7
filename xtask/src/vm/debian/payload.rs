//! Packs the files that a virtual machine adds to its Debian system: khor's packages, and the tests
//! with their service.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::outside;
use crate::{
    dist,
    process::{find_program, output},
    vm::{initramfs, modules::Module, report, tests},
};

/// The script that installs the payload and then starts systemd.
const INIT: &str = include_str!("init.sh");
/// Name of the folder in the archive that contains the files for the Debian system.
const PAYLOAD: &str = "payload";
/// Path of the tests' folder in the Debian system.
const TESTS: &str = "usr/lib/khor-e2e";
/// khor's programs. The tests expect them in the folder of the tests, [`TESTS`].
const PROGRAMS: [&str; 3] = ["khor-collector", "khor", "khor-relay"];
/// Package and name of each test program, in the order in which they run.
const SUITES: [(&str, &str); 2] = [("khor-output", "alsa"), ("khor-e2e", "system")];
/// Files that the tests need in the system, each with its path and content. They create users with
/// and without access to khor, run the tests as a service, and configure the host name and sshd.
const OURS: [(&str, &str); 5] = [
    ("usr/lib/sysusers.d/khor-e2e.conf", include_str!("khor-e2e.sysusers.conf")),
    ("usr/lib/systemd/system/khor-e2e.service", include_str!("khor-e2e.service")),
    ("usr/lib/khor-e2e/run.sh", include_str!("run.sh")),
    ("etc/hostname", "khor-e2e\n"),
    ("etc/ssh/sshd_config.d/khor-e2e.conf", "AuthorizedKeysFile /etc/ssh/keys/%u\n"),
];

/// Builds the programs if necessary, and creates the archive in `folder`. The machine accepts
/// `public_key` for SSH.
pub(super) fn pack(
    folder: &Path,
    modules: &[Module],
    only: Option<&str>,
    public_key: &str,
) -> Result<PathBuf> {
    let archive = folder.join("initramfs");
    if archive.exists() {
        fs::remove_dir_all(&archive)?;
    }
    let busybox = find_program("busybox").context("busybox is missing")?;
    initramfs::copy(&busybox, &archive.join("bin/busybox"))?;
    symlink("/bin/busybox", archive.join("bin/sh"))?;
    initramfs::add_modules(&archive, modules)?;
    initramfs::write(&archive, "init", INIT.as_bytes())?;
    fs::set_permissions(archive.join("init"), fs::Permissions::from_mode(0o755))?;
    fill(&archive.join(PAYLOAD), only)?;
    let keys = format!("{PAYLOAD}/etc/ssh/keys/{}", outside::USER);
    initramfs::write(&archive, &keys, public_key.as_bytes())?;
    initramfs::archive(&archive, &folder.join("initramfs.cpio"))
}

fn fill(payload: &Path, only: Option<&str>) -> Result<()> {
    fs::create_dir_all(payload.join(TESTS))?;
    for program in PROGRAMS {
        symlink(Path::new("/usr/bin").join(program), payload.join(TESTS).join(program))?;
    }
    let built = tests::build(&SUITES)?;
    for package in dist::packages_for_tests()? {
        fs::copy(
            &package,
            payload.join(TESTS).join(package.file_name().context("the package has no name")?),
        )?;
    }
    for (test, (_, name)) in built.tests.iter().zip(SUITES) {
        strip(test, &payload.join(TESTS).join(name))?;
    }
    for (to, content) in OURS {
        initramfs::write(payload, to, content.as_bytes())?;
    }
    let settings = format!("ONLY={}\nMARK={}\n", only.unwrap_or_default(), report::END_MARK);
    initramfs::write(payload, &format!("{TESTS}/settings"), settings.as_bytes())
}

fn strip(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("the path has no parent folder")?)?;
    output(Command::new("strip").arg("-o").arg(to).arg(from)).map(drop)
}
