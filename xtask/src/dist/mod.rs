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
    process::{command, is_there, output, root, succeed, target},
    release, ui,
};

/// Tools beyond cargo, with the versions that were tried.
const TOOLS: [(&str, &str); 3] =
    [("cargo-deb", "3.8.0"), ("cargo-generate-rpm", "0.21.1"), ("cargo-cyclonedx", "0.5.9")];
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
    let tools = if args.deb_only { &TOOLS[..1] } else { &TOOLS[..] };
    tools.iter().try_for_each(|(tool, version)| get(tool, version))?;
    ui::prepare()?;
    ui::build()?;
    let dist = target().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    succeed(&mut release::build(&["-p", "khor-engine", "-p", "khor-collector"])?)?;
    texts(&dist)?;
    let time = commit_time()?;
    deb(&dist, &time)?;
    if !args.deb_only {
        rpm(&dist, &time)?;
        materials(&dist, &time)?;
    }
    if args.arch {
        arch::build(&dist, &time)?;
    }
    checksums(&dist)
}

/// The Debian package that is in target/dist; built first if there is none.
pub(crate) fn debian_package() -> Result<PathBuf> {
    run(&DistArgs { deb_only: true, arch: false })?;
    let dist = target().join("dist");
    let name = shipped(&dist)?.into_iter().find(|name| kind(Path::new(name)) == Some("deb"));
    Ok(dist.join(name.context("no Debian package was made")?))
}

fn get(tool: &str, version: &str) -> Result<()> {
    if is_there(tool) {
        return Ok(());
    }
    succeed(&mut command("cargo", ["install", "--locked", "--version", version, tool]))
}

/// What the program prints about itself.
fn texts(dist: &Path) -> Result<()> {
    let khor = release::program("khor");
    let man = dist.join("man").display().to_string();
    succeed(&mut command(&khor, ["man", "--dir", man.as_str()]))?;
    let folder = dist.join("completions");
    fs::create_dir_all(&folder)?;
    for shell in SHELLS {
        fs::write(
            folder.join(format!("khor.{shell}")),
            output(&mut command(&khor, ["completions", shell]))?,
        )?;
    }
    Ok(())
}

/// Seconds since 1970, for `SOURCE_DATE_EPOCH`.
fn commit_time() -> Result<String> {
    Ok(output(&mut command("git", ["log", "-1", "--format=%ct"]))?.trim().to_owned())
}

fn deb(dist: &Path, time: &str) -> Result<()> {
    let mut cargo = command("cargo", ["deb", "--no-build", "-p", "khor-engine", "--output"]);
    succeed(cargo.arg(dist).env("SOURCE_DATE_EPOCH", time))
}

fn rpm(dist: &Path, time: &str) -> Result<()> {
    let mut cargo = command("cargo", ["generate-rpm", "-p", "khor-engine", "--payload-compress", "zstd"]);
    cargo.args(["--source-date", time, "--output"]);
    succeed(cargo.arg(dist).arg("--target-dir").arg(target()))
}

/// What the programs are made of, in the form of `CycloneDX`.
fn materials(dist: &Path, time: &str) -> Result<()> {
    let mut cargo = command("cargo", ["cyclonedx", "--format", "json", "--override-filename", "khor.cdx"]);
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
    let inside = root().join("khor-ebpf/layout/khor.cdx.json");
    if inside.exists() {
        fs::remove_file(inside)?;
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
        .filter(|file| matches!(kind(file), Some("deb" | "rpm" | "json" | "zst")))
        .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn kind(file: &Path) -> Option<&str> {
    file.extension()?.to_str()
}
