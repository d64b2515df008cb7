//! `cargo xtask dist`: the packages, in target/dist, with checksums and a bill of materials.
//!
//! Two runs on the same checkout and compiler give the same bytes: what is embedded has no times, paths are left out of the
//! programs, and packages and bills carry the time of the commit.

mod arch;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    packages,
    process::{command, output, root, succeed, target},
    release, tools, ui,
};

/// Shells that khor completes commands in.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

#[derive(Args)]
pub(crate) struct DistArgs {
    /// Only the Debian package
    #[arg(long)]
    deb_only: bool,
    /// Arch's package too, which is built anew from a source archive
    #[arg(long, conflicts_with = "deb_only")]
    arch: bool,
}

/// Builds everything that is handed to others.
pub(crate) fn run(args: &DistArgs) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    tools::packagers(args.deb_only)?;
    ui::prepare()?;
    ui::build()?;
    let dist = target().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    succeed(&mut release::build(&["-p", "khor", "-p", "khor-relay", "-p", "khor-collector"])?)?;
    texts(&dist, &release::program("khor"))?;
    let time = commit_time()?;
    deb(&dist, &time, &[])?;
    if !args.deb_only {
        rpm(&dist, &time)?;
        materials(&dist, &time)?;
    }
    if args.arch {
        arch::build(&dist, &time)?;
    }
    checksums(&dist)
}

/// Makes a Debian package of the programs that the tests use, which are not release builds.
pub(crate) fn package_for_tests() -> Result<PathBuf> {
    tools::packagers(true)?;
    texts(&target().join("dist"), &target().join("debug/khor").display().to_string())?;
    let package = target().join("vm/khor.deb");
    // cargo-deb is built without optimisation, so its best compression would take minutes.
    deb(&package, &commit_time()?, &["--profile", "dev", "--fast"])?;
    Ok(package)
}

/// What the program prints about itself.
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

/// Seconds since 1970, for `SOURCE_DATE_EPOCH`.
fn commit_time() -> Result<String> {
    Ok(output(&mut command("git", ["log", "-1", "--format=%ct"]))?.trim().to_owned())
}

/// Makes the Debian package of the built programs. `to` is a folder or a file.
fn deb(to: &Path, time: &str, options: &[&str]) -> Result<()> {
    let mut cargo = tools::with_path(command("cargo", ["deb", "--no-build", "-p", "khor"]));
    succeed(cargo.args(options).arg("--output").arg(to).env("SOURCE_DATE_EPOCH", time))
}

fn rpm(dist: &Path, time: &str) -> Result<()> {
    let rpm = ["generate-rpm", "-p", "khor-engine/cli", "--payload-compress", "zstd"];
    let mut cargo = tools::with_path(command("cargo", rpm));
    cargo.args(["--source-date", time, "--output"]);
    succeed(cargo.arg(dist).arg("--target-dir").arg(target()))
}

/// What the programs are made of, in the form of `CycloneDX`.
fn materials(dist: &Path, time: &str) -> Result<()> {
    let cyclonedx = ["cyclonedx", "--format", "json", "--override-filename", "khor.cdx"];
    let mut cargo = tools::with_path(command("cargo", cyclonedx));
    succeed(cargo.args(["--manifest-path", "Cargo.toml"]).env("SOURCE_DATE_EPOCH", time))?;
    // It writes one beside each package's manifest; these two are what is shipped.
    for package in ["khor-engine", "khor-collector"] {
        let from = root().join(package).join("khor.cdx.json");
        fs::copy(&from, dist.join(format!("{package}.cdx.json"))).context("the bill of materials")?;
    }
    for entry in fs::read_dir(root())?.flatten() {
        let stray = entry.path().join("khor.cdx.json");
        if stray.exists() {
            fs::remove_file(stray)?;
        }
    }
    for inside in ["khor-ebpf/layout", "khor-e2e/patience"] {
        let stray = root().join(inside).join("khor.cdx.json");
        if stray.exists() {
            fs::remove_file(stray)?;
        }
    }
    Ok(())
}

fn checksums(dist: &Path) -> Result<()> {
    let names = shipped(dist)?;
    if names.is_empty() {
        bail!("nothing was made");
    }
    let sums = output(command("sha256sum", &names).current_dir(dist))?;
    fs::write(dist.join("SHA256SUMS"), &sums)?;
    print!("\nin {}:\n{sums}", dist.display());
    Ok(())
}

/// Names of what is handed to others.
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

/// Arch's build recipe, which has no extension.
fn is_recipe(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "PKGBUILD")
}

fn kind(file: &Path) -> Option<&str> {
    file.extension()?.to_str()
}
