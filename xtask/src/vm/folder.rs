//! The folder of the virtual machines.

use std::path::PathBuf;

use crate::process::target;

/// Where kernels and machines are kept.
pub(super) fn home() -> PathBuf {
    target().join("vm")
}
