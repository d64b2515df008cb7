//! Builds the package for Arch. As for a release, `makepkg` builds it from a source archive of the
//! checkout, and the PKGBUILD contains the archive's checksum.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use super::kind;
use crate::{
    packages,
    process::{command, is_root, output, root, succeed, target},
    release,
};

/// Start of the line in the PKGBUILD that contains the checksum of the archive.
const SUMS: &str = "sha256sums=(";
/// The files from which users of Arch build the package.
const RECIPE: [&str; 2] = ["PKGBUILD", "khor.install"];

/// Builds the package in target/arch. Copies the package, the source archive, the PKGBUILD with the
/// checksum, and the installation script to `dist`.
pub(super) fn build(dist: &Path, time: &str) -> Result<()> {
    packages::install(&[packages::ARCH])?;
    let folder = target().join("arch");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for file in RECIPE {
        fs::copy(root().join("packaging/arch").join(file), folder.join(file))?;
    }
    let archive = archive(&folder)?;
    let recipe = fs::read_to_string(folder.join("PKGBUILD"))?;
    fs::write(folder.join("PKGBUILD"), with_checksum(&recipe, &checksum(&folder, &archive)?)?)?;
    // makepkg does not check dependencies, because they have Arch's names, and this machine may
    // have another distribution.
    let mut makepkg = without_root("makepkg");
    makepkg.args(["--nodeps", "--noconfirm"]).current_dir(&folder);
    makepkg.env("CARGO_TARGET_DIR", target()).env("RUSTFLAGS", release::flags()?);
    succeed(makepkg.env("SOURCE_DATE_EPOCH", time).env("PKGEXT", ".pkg.tar.zst"))?;
    let files = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
    let package =
        files.into_iter().find(|file| kind(file) == Some("zst")).context("makepkg made no package")?;
    fs::copy(&package, dist.join(package.file_name().context("the package has no name")?))?;
    for file in RECIPE.into_iter().chain([archive.as_str()]) {
        fs::copy(folder.join(file), dist.join(file))?;
    }
    Ok(())
}

/// Creates the source archive for the PKGBUILD from the last commit. Returns its name.
fn archive(folder: &Path) -> Result<String> {
    let name = format!("khor-{}", env!("CARGO_PKG_VERSION"));
    let file = format!("{name}.tar.gz");
    let archive = folder.join(&file).display().to_string();
    succeed(&mut command("git", ["archive", &format!("--prefix={name}/"), "-o", &archive, "HEAD"]))?;
    Ok(file)
}

/// SHA-256 of a file, in hexadecimal digits.
fn checksum(folder: &Path, file: &str) -> Result<String> {
    let line = output(command("sha256sum", [file]).current_dir(folder))?;
    line.split_whitespace().next().map(str::to_owned).context("sha256sum printed nothing")
}

/// Writes the checksum of the source archive into the text of a PKGBUILD.
fn with_checksum(recipe: &str, sum: &str) -> Result<String> {
    let count = recipe.lines().filter(|line| line.starts_with(SUMS)).count();
    ensure!(count == 1, "the PKGBUILD needs one line that starts with {SUMS}, but has {count}");
    let line = |line: &str| {
        if line.starts_with(SUMS) { format!("{SUMS}'{sum}')\n") } else { format!("{line}\n") }
    };
    Ok(recipe.lines().map(line).collect())
}

/// A command that does not run as root, because makepkg does not accept root. In a user namespace,
/// root becomes another user who can still read root's toolchain.
fn without_root(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000", program]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_replaces_the_placeholder_only() {
        let recipe = fs::read_to_string(root().join("packaging/arch/PKGBUILD")).unwrap();
        assert!(!recipe.contains("SKIP"), "each source has a checksum");
        let sum = "0".repeat(64);
        let written = with_checksum(&recipe, &sum).unwrap();
        let changed: Vec<(&str, &str)> =
            recipe.lines().zip(written.lines()).filter(|(before, after)| before != after).collect();
        let expected = format!("sha256sums=('{sum}')");
        assert!(matches!(&changed[..], [(_, after)] if *after == expected), "{changed:?}");
        assert_eq!(recipe.lines().count(), written.lines().count());
        assert!(with_checksum("pkgname=khor", &sum).is_err());
    }
}
