//! Limits of the disk space for recordings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, error::in_range};

/// Limits of the disk space for recordings. khor ends a recording cleanly at either limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Recordings {
    /// Largest total size of the files in the recordings' folder, MiB, 1..=16777216.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub quota_mib: u32,
    /// Least free space on the folder's file system, MiB, 0..=16777216. Null means 1 GiB or a
    /// twentieth of the file system, whichever is less.
    #[schemars(range(min = 0, max = 16_777_216))]
    pub min_free_mib: Option<u32>,
}

impl Default for Recordings {
    /// 20 GiB: 80 hours of FLAC, or 20 hours of WAV at 48 kHz.
    fn default() -> Self {
        Self { quota_mib: 20 * 1024, min_free_mib: None }
    }
}

impl Recordings {
    const MAX_MIB: u32 = 16_777_216;

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        in_range("recordings.quota_mib", self.quota_mib, 1, Self::MAX_MIB)?;
        in_range("recordings.min_free_mib", self.min_free_mib.unwrap_or(0), 0, Self::MAX_MIB)
    }
}
