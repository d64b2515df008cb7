//! Lists the skipped tests. A skipped test writes its name and reason to a file, because test
//! runners hide the output of a test that passes.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::process::target;

/// Environment variable with the path of the file. `skip` of khor-e2e appends the lines.
pub(super) const VARIABLE: &str = "KHOR_SKIPPED_FILE";

pub(super) fn file() -> PathBuf {
    target().join("skipped-tests")
}

/// Empties the list of an earlier run.
pub(super) fn begin() -> Result<()> {
    fs::create_dir_all(target()).context("making target/")?;
    fs::write(file(), "").context("writing the list of skipped tests")
}

/// One line for each skipped test, with the reason.
pub(super) fn take() -> Vec<String> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}
