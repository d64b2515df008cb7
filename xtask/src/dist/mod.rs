//! `cargo xtask dist`: builds the packages in target/dist, with checksums and a bill of materials.
//!
//! Two runs with the same checkout and compiler produce the same bytes. Embedded data contains no
//! times, programs contain no paths of this machine, and packages and bills have the time of the
//! commit.

mod arch;
mod materials;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    packages,
    process::{command, output, succeed, target},
    release, tools, ui,
};

/// The packages. Each is described in the manifest of the crate with its name. `khor` contains all
/// programs, and `khor-relay` those that need no sound library.
const PACKAGES: [&str; 2] = ["khor", "khor-relay"];
/// The programs. Each belongs to the crate with its name.
const PROGRAMS: [&str; 3] = ["khor", "khor-relay", "khor-collector"];
/// Shells for which khor prints command completions.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

#[derive(Args)]
pub(crate) struct DistArgs {
    /// Build only the Debian packages
    #[arg(long)]
    deb_only: bool,
    /// Also build the package for Arch, from a source archive
    #[arg(long, conflicts_with = "deb_only")]
    arch: bool,
}

/// Builds all files of a release.
pub(crate) fn run(args: &DistArgs) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    tools::packagers(args.deb_only)?;
    ui::prepare()?;
    ui::build()?;
    let dist = target().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    let programs = PROGRAMS.map(|program| ["-p", program]);
    succeed(&mut release::build(programs.as_flattened())?)?;
    texts(&dist, &release::program("khor"))?;
    let time = commit_time()?;
    PACKAGES.iter().try_for_each(|package| deb(package, &dist, &time, &[]))?;
    if !args.deb_only {
        let manifests = materials::manifests()?;
        for package in PACKAGES {
            rpm(materials::folder(&manifests, package)?, &dist, &time)?;
        }
        materials::make(&manifests, &PROGRAMS, &dist, &time)?;
    }
    if args.arch {
        arch::build(&dist, &time)?;
    }
    checksums(&dist)
}

/// Creates the Debian packages of the programs that the tests use, which are not release builds.
pub(crate) fn packages_for_tests() -> Result<Vec<PathBuf>> {
    tools::packagers(true)?;
    texts(&target().join("dist"), &target().join("debug/khor").display().to_string())?;
    let time = commit_time()?;
    let make = |package: &&str| {
        let file = target().join("vm").join(format!("{package}.deb"));
        // cargo-deb itself is built without optimisation, so its best compression would take
        // minutes.
        deb(package, &file, &time, &["--profile", "dev", "--fast"]).map(|()| file)
    };
    PACKAGES.iter().map(make).collect()
}

/// Writes the manual pages and command completions that khor prints.
fn texts(dist: &Path, khor: &str) -> Result<()> {
    let man = dist.join("man").display().to_string();
    succeed(&mut command(khor, ["man", "--dir", man.as_str()]))?;
    let folder = dist.join("completions");
    fs::create_dir_all(&folder)?;
    for shell in SHELLS {
        fs::write(folder.join(format!("khor.{shell}")), output(&mut command(khor, ["completions", shell]))?)?;
    }
    Ok(())
}

/// Time of the last commit, seconds since 1970, for `SOURCE_DATE_EPOCH`.
fn commit_time() -> Result<String> {
    Ok(output(&mut command("git", ["log", "-1", "--format=%ct"]))?.trim().to_owned())
}

/// Creates a Debian package of the built programs. `to` is a folder or a file.
fn deb(package: &str, to: &Path, time: &str, options: &[&str]) -> Result<()> {
    let mut cargo = tools::with_path(command("cargo", ["deb", "--no-build", "-p", package]));
    succeed(cargo.args(options).arg("--output").arg(to).env("SOURCE_DATE_EPOCH", time))
}

/// Creates the RPM package of the crate in `folder`.
fn rpm(folder: &Path, dist: &Path, time: &str) -> Result<()> {
    let mut cargo = tools::with_path(command("cargo", ["generate-rpm", "--payload-compress", "zstd", "-p"]));
    cargo.arg(folder).args(["--source-date", time, "--output"]);
    succeed(cargo.arg(dist).arg("--target-dir").arg(target()))
}

fn checksums(dist: &Path) -> Result<()> {
    let names = shipped(dist)?;
    if names.is_empty() {
        bail!("no package was made");
    }
    let sums = output(command("sha256sum", &names).current_dir(dist))?;
    fs::write(dist.join("SHA256SUMS"), &sums)?;
    print!("\nin {}:\n{sums}", dist.display());
    Ok(())
}

/// Names of the files in a release.
fn shipped(dist: &Path) -> Result<Vec<String>> {
    let files = fs::read_dir(dist)?.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = files
        .filter(|file| {
            matches!(kind(file), Some("deb" | "rpm" | "json" | "zst" | "gz" | "install")) || is_recipe(file)
        })
        .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Whether this is the build recipe for Arch, which has no extension.
fn is_recipe(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "PKGBUILD")
}

fn kind(file: &Path) -> Option<&str> {
    file.extension()?.to_str()
}
