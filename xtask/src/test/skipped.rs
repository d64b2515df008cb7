//! The tests that were skipped. They write their names and reasons to a file, since test runners hide what a passing test prints.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::process::target;

/// Tests append lines to the file that this variable names (khor-e2e, `skip`).
pub(super) const VARIABLE: &str = "KHOR_SKIPPED_FILE";

pub(super) fn file() -> PathBuf {
    target().join("skipped-tests")
}

/// Forgets what an earlier run skipped.
pub(super) fn begin() -> Result<()> {
    fs::create_dir_all(target()).context("making target/")?;
    fs::write(file(), "").context("writing the list of skipped tests")
}

/// A line for each test that was skipped, with the reason.
pub(super) fn take() -> Vec<String> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}
