//! Replaces the whole content of a file. Keeps links, permissions and mounts of the user's file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{read::check_regular, stamp::Stamp, timeout::with_timeout};

/// Largest number of symbolic links that khor follows. The kernel has the same limit.
const MAX_LINKS: usize = 40;
/// Largest number of backups of one file.
const MAX_BACKUPS: u32 = 1000;

/// Replaces the content of the file at `path`, and creates missing folders. After a crash, the file
/// has the complete old or new content. Symbolic links, permissions and the owner do not change.
///
/// Returns the stamp of the new content. A later edit by another program changes the stamp.
///
/// If the file is a mount point, or its folder is not writable, khor overwrites the file in place.
/// In this case, a crash can leave incomplete content.
///
/// # Errors
///
/// Fails if the user may not write to the file. Also returns the system's errors, and the errors of
/// [`with_timeout`].
pub fn replace(path: &Path, content: &[u8]) -> io::Result<Stamp> {
    let content = content.to_owned();
    with_timeout(path, move |path| replace_now(path, &content))
}

/// Copies the file at `path` to `path.bad`. If this name exists, uses `path.bad.2` and so on.
/// Returns the path of the copy.
///
/// # Errors
///
/// Returns the system's errors, and the errors of [`with_timeout`].
pub fn back_up(path: &Path) -> io::Result<PathBuf> {
    with_timeout(path, |path| {
        let mut original = File::open(path)?;
        let (mut copy, name) = create_backup(path, original.metadata()?.mode())?;
        let copied = io::copy(&mut original, &mut copy).and_then(|_| copy.sync_all());
        copied.map(|()| name.clone()).inspect_err(|_| drop(fs::remove_file(&name)))
    })
}

fn create_backup(path: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    for number in 1..=MAX_BACKUPS {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 1 { ".bad".to_owned() } else { format!(".bad.{number}") });
        let name = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).mode(mode & 0o777).open(&name) {
            Ok(copy) => return Ok((copy, name)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    let message = format!("there are already {MAX_BACKUPS} backups of this file; remove some of them");
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

fn replace_now(path: &Path, content: &[u8]) -> io::Result<Stamp> {
    let path = target(path)?;
    let folder = folder(&path);
    fs::create_dir_all(folder)?;
    let old = match fs::metadata(&path) {
        Ok(metadata) => {
            check_regular(&metadata)?;
            // Renaming needs write permission only for the folder, so check the file's own
            // permission here.
            OpenOptions::new().write(true).open(&path)?;
            Some(metadata)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match write_beside(&path, folder, content, old.as_ref()) {
        Err(error) if old.is_some() && cannot_rename(&error) => write_in_place(&path, content),
        written => written,
    }
}

/// The folder of a file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path to which symbolic links lead, even if there is no file at this path yet.
pub(super) fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(link) => path = path.parent().unwrap_or(Path::new("/")).join(link),
            // The path is not a symbolic link, or it does not exist.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                return Ok(path);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Writes a temporary file in the same folder, syncs it, renames it to `path`, and syncs the
/// folder.
fn write_beside(path: &Path, folder: &Path, content: &[u8], old: Option<&fs::Metadata>) -> io::Result<Stamp> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    if let Some(old) = old {
        let new = file.as_file().metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
        file.as_file().set_permissions(fs::Permissions::from_mode(old.mode()))?;
    }
    file.as_file().sync_all()?;
    let stamp = Stamp::from(&file.as_file().metadata()?);
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(stamp)
}

/// Whether khor must overwrite the file in place: the file is a mount point, its folder is not
/// writable, or khor cannot keep its owner.
fn cannot_rename(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), ResourceBusy | CrossesDevices | PermissionDenied | ReadOnlyFilesystem)
}

/// Overwrites the file in place. After an error, restores the old content if possible.
fn write_in_place(path: &Path, content: &[u8]) -> io::Result<Stamp> {
    let mut old = Vec::new();
    File::open(path)?.read_to_end(&mut old)?;
    overwrite(path, content).inspect_err(|_| drop(overwrite(path, &old)))
}

fn overwrite(path: &Path, content: &[u8]) -> io::Result<Stamp> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()?;
    Ok(Stamp::from(&file.metadata()?))
}
