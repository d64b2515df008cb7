//! Lists the skipped tests. A skipped test writes its name and its reason to a file, because test
//! runners hide the output of a test that passes.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::process::target;

/// Environment variable that contains the path of the list of skipped tests. khor-e2e's function
/// `skip` appends a line to this list.
pub(super) const VARIABLE: &str = "KHOR_SKIPPED_FILE";

pub(super) fn file() -> PathBuf {
    target().join("skipped-tests")
}

/// Empties the list of skipped tests, which may contain those of an earlier run.
pub(super) fn begin() -> Result<()> {
    fs::create_dir_all(target()).context("cannot create target/")?;
    fs::write(file(), "").context("cannot write the list of skipped tests")
}

/// The skipped tests of this run, one line each, with the reason.
pub(super) fn take() -> Vec<String> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}
