//! Defines the folder in which `cargo xtask vm` keeps its files.

use std::path::PathBuf;

use crate::process::target;

/// The folder that contains the downloaded kernels and the files of the virtual machines.
pub(super) fn home() -> PathBuf {
    target().join("vm")
}
