//! The program that tests the API by its own document, schemathesis, in an environment of its own below `target`.

use std::fs;

use anyhow::{Context, Result};

use crate::{
    packages,
    process::{command, succeed, target},
};

/// Every version, its dependencies' included: another one may find something else.
const VERSIONS: &str = include_str!("schemathesis.txt");

/// Installs it, unless these versions are there.
pub(crate) fn prepare() -> Result<()> {
    let environment = target().join("schemathesis");
    let mark = environment.join("versions");
    if fs::read_to_string(&mark).is_ok_and(|there| there == VERSIONS) {
        return Ok(());
    }
    packages::install(&[packages::PYTHON])?;
    succeed(command("python3", ["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    let list = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    succeed(command(&pip.to_string_lossy(), list).arg("xtask/src/schemathesis.txt"))
        .context("installing schemathesis")?;
    fs::write(mark, VERSIONS).context("noting the versions")
}
