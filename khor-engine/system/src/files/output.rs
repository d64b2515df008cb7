//! Writes output files. khor writes the content into a temporary file in the same folder, and
//! renames this file when it is complete. A full disk or a crash therefore leaves the old file
//! unchanged.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::replace::{folder, target};

/// Permissions of a new file, before the `umask` of the process.
const NEW_MODE: u32 = 0o666;
/// Maximum number of characters that a temporary name takes from the target's name. The kernel
/// allows at most 255 bytes in a name.
const KEPT_CHARACTERS: usize = 40;

/// An output file that is being written. An existing file stays unchanged until [`Self::finish`].
#[derive(Debug)]
pub struct Replacement(Kind);

#[derive(Debug)]
enum Kind {
    /// A temporary file in the same folder, such as `x.part-a1B2c3.wav` for `x.wav`.
    Beside { file: NamedTempFile, place: PathBuf },
    /// The target itself: a new file, a device or a pipe. It has no old content that must be kept.
    AtPlace { file: File, place: PathBuf },
}

impl Replacement {
    /// Begins to write the file at `path`. If the file is never finished, its temporary file is
    /// removed.
    ///
    /// Follows symbolic links, even to a file that does not exist yet. If the target is a device or
    /// a pipe, writes to it directly.
    ///
    /// # Errors
    ///
    /// Fails if the old file is not writable, or if the folder does not allow a new file.
    pub fn begin(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(old) if old.is_file() => Self::beside(target(path)?, Some(&old)),
            Ok(_) => Ok(Self::at(OpenOptions::new().write(true).open(path)?, path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::beside(target(path)?, None),
            Err(error) => Err(error),
        }
    }

    /// Begins to write a file that is useful even if it is incomplete, such as a recording. If
    /// there is no file at `path` yet, writes directly to this path, so that the file exists even
    /// after a crash.
    ///
    /// # Errors
    ///
    /// Fails in the same cases as [`Self::begin`].
    pub fn begin_recording(path: &Path) -> io::Result<Self> {
        let place = target(path)?;
        match File::create_new(&place) {
            Ok(file) => Ok(Self::at(file, place)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::begin(path),
            Err(error) => Err(error),
        }
    }

    const fn at(file: File, place: PathBuf) -> Self {
        Self(Kind::AtPlace { file, place })
    }

    fn beside(place: PathBuf, old: Option<&Metadata>) -> io::Result<Self> {
        let (prefix, suffix) = temporary_name(&place);
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(&suffix)
            .permissions(Permissions::from_mode(NEW_MODE))
            .tempfile_in(folder(&place))?;
        if let Some(old) = old {
            // Opening the old file for writing checks that the user may write to the file.
            OpenOptions::new().write(true).open(&place)?;
            copy_permissions(file.as_file(), old)?;
        }
        Ok(Self(Kind::Beside { file, place }))
    }

    /// A file handle for writing.
    pub fn file(&self) -> io::Result<File> {
        match &self.0 {
            Kind::Beside { file, .. } => file.as_file().try_clone(),
            Kind::AtPlace { file, .. } => file.try_clone(),
        }
    }

    /// Keeps the temporary file even if [`Self::finish`] is never called.
    pub fn keep_unfinished(&mut self) {
        if let Kind::Beside { file, .. } = &mut self.0 {
            file.disable_cleanup(true);
        }
    }

    /// The path of the file that receives the content until [`Self::finish`].
    pub fn path(&self) -> &Path {
        match &self.0 {
            Kind::Beside { file, .. } => file.path(),
            Kind::AtPlace { place, .. } => place,
        }
    }

    /// Waits until the content is on the disk, then renames the file to its target.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Kind::Beside { file, place } => {
                file.as_file().sync_all()?;
                file.persist(place).map(drop).map_err(|error| error.error)
            }
            Kind::AtPlace { file, .. } => match file.sync_all() {
                // A device or pipe cannot be synced.
                Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
                synced => synced,
            },
        }
    }
}

/// Writes an output file. If this fails, an existing file stays unchanged.
///
/// # Errors
///
/// Fails if [`Replacement::begin`] fails, or if the file cannot be written.
pub fn write_output(path: &Path, content: &[u8]) -> io::Result<()> {
    let replacement = Replacement::begin(path)?;
    replacement.file()?.write_all(content)?;
    replacement.finish()
}

/// Copies the permissions of the old file to `file`, and the owner if possible.
fn copy_permissions(file: &File, old: &Metadata) -> io::Result<()> {
    // Only root may change the owner. A file with another owner is better than no file.
    let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    file.set_permissions(old.permissions())
}

/// Returns the prefix and the suffix of the temporary file's name. The suffix is the target's
/// extension, so that programs see the same file type.
fn temporary_name(place: &Path) -> (OsString, OsString) {
    let stem = place.file_stem().unwrap_or_default().to_string_lossy();
    let kept: String = stem.chars().take(KEPT_CHARACTERS).collect();
    let mut suffix = OsString::new();
    if let Some(extension) = place.extension() {
        suffix.push(".");
        suffix.push(extension);
    }
    (format!("{kept}.part-").into(), suffix)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_finished_file_replaces_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.wav");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let replacement = Replacement::begin(&path).unwrap();
        replacement.file().unwrap().write_all(b"new").unwrap();
        let beside = replacement.path().file_name().unwrap().to_str().unwrap();
        assert!(
            beside.strip_prefix("x.part-").is_some_and(|name| name.split('.').next_back() == Some("wav")),
            "{beside}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(replacement);
        assert_eq!(names(dir.path()), ["x.wav"], "an unfinished file is removed");
        write_output(&path, b"new").unwrap();
        assert_eq!((names(dir.path()), fs::read(&path).unwrap()), (vec!["x.wav".into()], b"new".to_vec()));
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
    }

    #[test]
    fn link_is_followed_to_missing_file() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name| dir.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        symlink("folder/second", at("first")).unwrap();
        symlink("target", at("folder/second")).unwrap();
        for content in [b"new", b"two"] {
            write_output(&at("first"), content).unwrap();
            assert_eq!(fs::read(at("folder/target")).unwrap(), content);
            assert!(at("first").is_symlink() && at("folder/second").is_symlink());
            fs::remove_file(at("folder/target")).unwrap();
            fs::write(at("folder/target"), "old").unwrap();
        }
        symlink("loop", at("loop")).unwrap();
        assert!(write_output(&at("loop"), b"").unwrap_err().to_string().contains("symbolic links"));
    }

    #[test]
    fn device_is_writable_and_folder_is_not() {
        write_output(Path::new("/dev/null"), b"x").unwrap();
        assert_eq!(write_output(Path::new("/dev/full"), b"x").unwrap_err().kind(), ErrorKind::StorageFull);
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(write_output(dir.path(), b"x").unwrap_err().kind(), ErrorKind::IsADirectory);
    }

    #[test]
    fn unfinished_recording_exists_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.khor");
        let first = Replacement::begin_recording(&path).unwrap();
        first.file().unwrap().write_all(b"cut").unwrap();
        drop(first);
        assert_eq!(fs::read(&path).unwrap(), b"cut");
        let mut second = Replacement::begin_recording(&path).unwrap();
        second.keep_unfinished();
        second.file().unwrap().write_all(b"second").unwrap();
        let beside = second.path().to_owned();
        drop(second);
        assert_eq!((fs::read(&path).unwrap(), fs::read(&beside).unwrap()), (b"cut".into(), b"second".into()));
        Replacement::begin_recording(&path).unwrap().finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn long_and_extensionless_names_are_accepted() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["x".to_owned(), "ä".repeat(127), format!("{}.wav", "x".repeat(251))] {
            write_output(&dir.path().join(&name), b"x").unwrap();
            assert!(names(dir.path()).contains(&name));
        }
    }
}
