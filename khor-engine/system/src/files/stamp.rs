//! Stamps of files, which detect that another program has changed a file.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path, time::SystemTime};

use super::timeout::with_timeout;

/// Modification time, length and inode of a file. Two stamps are equal only if all three values are
/// equal, because a single value may stay the same when a program writes a file twice within the
/// clock's resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Stamp {
    /// The stamp of the file at `path`; `None` if there is no file. Follows links.
    ///
    /// # Errors
    ///
    /// Returns the system's errors except `NotFound`, and the errors of [`with_timeout`].
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        with_timeout(path, |path| match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::from(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(metadata: &fs::Metadata) -> Self {
        Self { modified: metadata.modified().ok(), length: metadata.len(), inode: metadata.ino() }
    }
}
