//! Arch's package: the PKGBUILD, followed by `makepkg` as it would be for a release, with a source archive of the checkout.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use super::kind;
use crate::{
    packages,
    process::{command, is_root, root, succeed, target},
    release,
};

/// Builds it in target/arch and puts it into `dist`.
pub(super) fn build(dist: &Path, time: &str) -> Result<()> {
    packages::install(&[packages::ARCH])?;
    let folder = target().join("arch");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for file in ["PKGBUILD", "khor.install"] {
        fs::copy(root().join("packaging/arch").join(file), folder.join(file))?;
    }
    archive(&folder)?;
    // The names of packages are Arch's, so that those of this machine are no answer to what is needed.
    let mut makepkg = as_a_user("makepkg");
    makepkg.args(["--nodeps", "--noconfirm"]).current_dir(&folder);
    makepkg.env("CARGO_TARGET_DIR", target()).env("RUSTFLAGS", release::flags()?);
    succeed(makepkg.env("SOURCE_DATE_EPOCH", time).env("PKGEXT", ".pkg.tar.zst"))?;
    let files = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
    let package = files.into_iter().find(|file| kind(file) == Some("zst")).context("no package was made")?;
    fs::copy(&package, dist.join(package.file_name().context("it has no name")?))?;
    Ok(())
}

/// The source archive that the PKGBUILD names: what is committed.
fn archive(folder: &Path) -> Result<()> {
    let name = format!("khor-{}", env!("CARGO_PKG_VERSION"));
    let archive = folder.join(format!("{name}.tar.gz")).display().to_string();
    succeed(&mut command("git", ["archive", &format!("--prefix={name}/"), "-o", &archive, "HEAD"]))
}

/// makepkg refuses to work as root. In a user namespace root is a user, who still may read root's toolchain.
fn as_a_user(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000", program]);
    command
}
