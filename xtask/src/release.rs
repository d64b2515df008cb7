//! Builds khor with optimisation. The subcommands that judge, measure and package khor all use this
//! build, so they use the same programs.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::process::{command, root, target};

/// The folder of the optimised programs.
pub(crate) fn folder() -> PathBuf {
    target().join("release")
}

/// The path of an optimised program. The program must have been built.
pub(crate) fn program(name: &str) -> String {
    folder().join(name).display().to_string()
}

/// A cargo command for an optimised build of the programs that `args` select. The programs contain
/// no paths of this machine, so their bytes do not depend on where the checkout is.
pub(crate) fn build(args: &[&str]) -> Result<Command> {
    let mut cargo = command("cargo", ["build", "--release", "--locked"]);
    cargo.args(args).env("RUSTFLAGS", flags()?);
    Ok(cargo)
}

/// The Rust compiler's flags, as a value of `RUSTFLAGS`.
pub(crate) fn flags() -> Result<String> {
    let checkout = format!("--remap-path-prefix={}=/khor", root().display());
    let crates = format!("--remap-path-prefix={}=/cargo", cargo_home()?);
    Ok([checkout, crates].join(" "))
}

fn cargo_home() -> Result<String> {
    let home = || std::env::var("HOME").map(|home| format!("{home}/.cargo"));
    std::env::var("CARGO_HOME").or_else(|_| home()).context("neither CARGO_HOME nor HOME is set")
}
