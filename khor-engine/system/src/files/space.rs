//! Checks the free space of a file system, so that khor always leaves enough space free.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::statvfs::statvfs;

use super::{replace::folder, timeout::with_timeout};
use crate::words::bytes;

/// Space that khor leaves free on a large file system, bytes.
const RESERVE_BYTES: u64 = 1 << 30;
/// On a small file system, khor leaves the fraction 1/`RESERVE_SHARE` of the size free.
const RESERVE_SHARE: u64 = 20;
/// Time between two checks while a file grows.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The free and the total space of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Free space for this user, bytes.
    pub free: u64,
    /// Size of the file system, bytes; 0 if the file system does not report its size.
    pub total: u64,
}

impl Space {
    /// The space of the file system that contains the folder `path`. The folder need not exist yet.
    ///
    /// # Errors
    ///
    /// Returns the system's errors, and the errors of [`with_timeout`].
    pub fn of(path: &Path) -> io::Result<Self> {
        with_timeout(path, |path| {
            let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
            let stat = statvfs(existing)?;
            let unit = stat.fragment_size();
            Ok(Self { free: stat.blocks_available() * unit, total: stat.blocks() * unit })
        })
    }

    /// Space that khor leaves free by default, bytes: 1 GiB or a twentieth of the file system,
    /// whichever is less.
    pub fn reserve(self) -> u64 {
        RESERVE_BYTES.min(self.total / RESERVE_SHARE)
    }
}

/// The error that an output file would leave too little space free.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} has {} free, and khor leaves {} free; free some space, choose another folder, or add --force",
    folder.display(), bytes(*free), bytes(*reserve)
)]
pub struct LowSpace {
    folder: PathBuf,
    free: u64,
    reserve: u64,
}

/// Watches the free space while an output file grows.
#[derive(Debug)]
pub struct SpaceWatch {
    /// The folder of the file. `None` if the user has disabled the check with `--force`, or if the
    /// output is a device or a pipe.
    folder: Option<PathBuf>,
    checked: Instant,
}

impl SpaceWatch {
    /// Checks that `needed` more bytes fit into the folder of the output at `path`, and starts to
    /// watch the space.
    ///
    /// # Errors
    ///
    /// Fails if there is too little space and `forced` is false.
    pub fn begin(path: &Path, needed: u64, forced: bool) -> Result<Self, LowSpace> {
        let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        let folder = (!forced && !is_special).then(|| folder(path).to_owned());
        let watch = Self { folder, checked: Instant::now() };
        watch.check_space(needed).map(|()| watch)
    }

    /// Checks the space again, at most once a second.
    ///
    /// # Errors
    ///
    /// Fails if there is too little space now.
    pub fn check(&mut self) -> Result<(), LowSpace> {
        if self.checked.elapsed() < CHECK_INTERVAL {
            return Ok(());
        }
        self.checked = Instant::now();
        self.check_space(0)
    }

    /// Checks that `needed` bytes fit. The check passes if the file system does not report its
    /// space.
    fn check_space(&self, needed: u64) -> Result<(), LowSpace> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let Some(space) = Space::of(folder).ok().filter(|space| space.total > 0) else { return Ok(()) };
        let (free, reserve) = (space.free, space.reserve());
        if free >= needed.saturating_add(reserve) {
            return Ok(());
        }
        Err(LowSpace { folder: folder.clone(), free, reserve })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_gibibyte_or_twentieth() {
        let reserve = |total| Space { free: 0, total }.reserve();
        assert_eq!((reserve(1 << 40), reserve(20_000), reserve(0)), (1 << 30, 1000, 0));
    }

    #[test]
    fn missing_folder_has_space_of_parent() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::of(&dir.path().join("a/b")).unwrap();
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
    }

    #[test]
    fn outputs_must_fit_unless_forced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        let refused = SpaceWatch::begin(&path, u64::MAX, false).unwrap_err().to_string();
        assert!(refused.contains(" free, and khor leaves ") && refused.contains("--force"), "{refused}");
        assert!(SpaceWatch::begin(&path, u64::MAX, true).is_ok());
        assert!(SpaceWatch::begin(Path::new("/dev/null"), u64::MAX, false).is_ok());
    }
}
