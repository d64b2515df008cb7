//! Optimised builds, the same whoever asks for one: what is run, judged, measured and installed elsewhere is what is shipped.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::process::{command, root, target};

/// Where the programs are.
pub(crate) fn folder() -> PathBuf {
    target().join("release")
}

/// The path of a program, which must have been built.
pub(crate) fn program(name: &str) -> String {
    folder().join(name).display().to_string()
}

/// A cargo that builds them; what is to be built is told in `args`. Paths of this machine are left out of the
/// programs, so that they are the same bytes wherever the checkout lies.
pub(crate) fn build(args: &[&str]) -> Result<Command> {
    let mut cargo = command("cargo", ["build", "--release", "--locked"]);
    cargo.args(args).env("RUSTFLAGS", flags()?);
    Ok(cargo)
}

/// What the compiler is told, in `RUSTFLAGS`.
pub(crate) fn flags() -> Result<String> {
    let checkout = format!("--remap-path-prefix={}=/khor", root().display());
    let crates = format!("--remap-path-prefix={}=/cargo", cargo_home()?);
    Ok([checkout, crates].join(" "))
}

fn cargo_home() -> Result<String> {
    let home = || std::env::var("HOME").map(|home| format!("{home}/.cargo"));
    std::env::var("CARGO_HOME").or_else(|_| home()).context("no home directory")
}
