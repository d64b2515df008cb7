//! Limits the disk space of recordings: a quota for their folder, and a minimum of free space on
//! its file system.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use khor_system::{
    files::{Space, with_timeout},
    words::{bytes, counted},
};

/// Maximum number of files in the recordings' folder.
const MAX_FILES: u64 = 10_000;

/// Limits of the disk space for recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskLimits {
    /// Maximum total size of the files in the folder of the recordings, bytes.
    pub quota_bytes: u64,
    /// Minimum free space that recordings leave on the file system, bytes. `None` selects the
    /// default, which [`Space::reserve`] returns.
    pub min_free_bytes: Option<u64>,
}

/// The limit that prevents or ends a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskLimitError {
    /// The recordings have reached their quota.
    #[error("the recordings in {} use {}, and their quota is {}", folder.display(), bytes(*used), bytes(*quota))]
    Quota {
        /// The folder of the recordings.
        folder: PathBuf,
        /// Total size of the files in the folder, bytes.
        used: u64,
        /// Maximum total size of the files in the folder, bytes.
        quota: u64,
    },
    /// The folder has too many files.
    #[error("{} has {}, the maximum", folder.display(), counted(*count, "file"))]
    Files {
        /// The folder of the recordings.
        folder: PathBuf,
        /// Number of files in the folder.
        count: u64,
    },
    /// The file system is nearly full.
    #[error("{} has {} free, and khor must leave {} free", folder.display(), bytes(*free), bytes(*floor))]
    Disk {
        /// The folder of the recordings.
        folder: PathBuf,
        /// Free space, bytes.
        free: u64,
        /// Minimum free space that recordings must leave, bytes.
        floor: u64,
    },
}

impl DiskLimitError {
    /// How the user can make room for recordings.
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Quota { .. } => "delete old recordings, or raise recordings.quota_mib",
            Self::Files { .. } => "delete old recordings",
            Self::Disk { .. } => "free some space, or lower recordings.min_free_mib",
        }
    }
}

impl DiskLimits {
    /// Checks the limits. Treats an unreadable folder as empty, because writing to the folder fails
    /// later with a better error. Waits for the disk.
    pub(super) fn check(&self, folder: &Path) -> Result<(), DiskLimitError> {
        let (count, used) = with_timeout(folder, usage).unwrap_or_default();
        let (folder, quota) = (folder.to_owned(), self.quota_bytes);
        if used >= quota {
            return Err(DiskLimitError::Quota { folder, used, quota });
        }
        if count >= MAX_FILES {
            return Err(DiskLimitError::Files { folder, count });
        }
        let Some(space) = Space::of(&folder).ok().filter(|space| space.total > 0) else { return Ok(()) };
        let (free, floor) = (space.free, self.min_free_bytes.unwrap_or_else(|| space.reserve()));
        if free < floor { Err(DiskLimitError::Disk { folder, free, floor }) } else { Ok(()) }
    }
}

/// Returns the number of files in a folder, and their total size in bytes.
fn usage(folder: &Path) -> io::Result<(u64, u64)> {
    let (mut count, mut used) = (0, 0);
    for entry in fs::read_dir(folder)? {
        // Skip a file that another program has just deleted.
        if let Ok(metadata) = entry?.metadata()
            && metadata.is_file()
        {
            (count, used) = (count + 1, used + metadata.len());
        }
    }
    Ok((count, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_and_free_space_are_enforced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), [0; 600]).unwrap();
        fs::write(dir.path().join("b"), [0; 400]).unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        let check =
            |quota_bytes, min_free_bytes| DiskLimits { quota_bytes, min_free_bytes }.check(dir.path());
        assert_eq!(check(1001, Some(0)), Ok(()));
        let refused = check(1000, Some(0)).unwrap_err();
        assert!(refused.to_string().ends_with("use 1.0 kB, and their quota is 1.0 kB"), "{refused}");
        assert!(refused.fix().contains("recordings.quota_mib"));
        let refused = check(u64::MAX, Some(u64::MAX)).unwrap_err();
        assert!(refused.to_string().contains(" free, and khor must leave "), "{refused}");
        let nowhere = DiskLimits { quota_bytes: 1, min_free_bytes: Some(0) };
        assert_eq!(nowhere.check(&dir.path().join("none yet")), Ok(()));
    }
}
