//! The folder of the virtual machines.

use std::path::PathBuf;

use crate::process::target;

/// The folder of the downloaded kernels and of the machines.
pub(super) fn home() -> PathBuf {
    target().join("vm")
}
