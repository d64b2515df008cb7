//! Creates the socket file with its permissions, watches it, and removes it at the end.
//!
//! Other users cannot open the socket before its permissions are set. The process creates the file
//! as root, in a directory that may belong to another user. So it opens and checks the directory
//! once, and uses the open directory in all later steps. A path would be resolved again in each
//! step, and the directory's owner could put a symbolic link there between two steps.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{
            fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, Flock, FlockArg, OFlag, openat},
    sys::stat::{Mode, fstatat, umask},
    unistd::{Gid, UnlinkatFlags, User, fchownat, getegid, geteuid, getuid, unlinkat},
};

use super::activation;

const SOCKET_MODE: u32 = 0o660;
const DIRECTORY_MODE: u32 = 0o755;
/// Longest wait for the lock. The wait must end, because any local user can lock a directory that
/// all users may read.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// Time between two checks of whether the socket file exists.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Why the collector cannot serve on the socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("another collector answers at {}: stop it, or choose another --socket", path.display())]
    Taken { path: PathBuf },
    #[error("{} exists and is not a socket: remove it, or choose another --socket", path.display())]
    NotASocket { path: PathBuf },
    #[error("the socket's directory {} {problem}; {fix}, or choose another --socket", directory.display())]
    Untrusted { directory: PathBuf, problem: String, fix: String },
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

/// A listening socket. It includes the socket file if khor created that file, because khor must
/// then remove it.
#[derive(Debug)]
pub(crate) struct BoundSocket {
    listener: Option<UnixListener>,
    file: Option<SocketFile>,
}

/// The socket file.
#[derive(Debug)]
struct SocketFile {
    /// The directory stays open, because its path may be inaccessible to the user that the process
    /// becomes.
    directory: File,
    name: PathBuf,
    path: PathBuf,
    /// Distinguishes this file from another file with the same name.
    inode: Option<u64>,
    /// The group that may connect, besides root.
    group: Option<Gid>,
}

impl BoundSocket {
    /// Takes the listener, in non-blocking mode. Fails if it was already taken.
    pub(crate) fn listener(&mut self) -> io::Result<UnixListener> {
        let listener =
            self.listener.take().ok_or_else(|| io::Error::other("the listener was already taken"))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

impl BoundSocket {
    /// Waits until the socket file is removed. New clients then cannot find the socket.
    pub(super) async fn removed(&self) {
        let Some(file) = &self.file else { return std::future::pending().await };
        while file.inode.is_none() || file.inode_now() == file.inode {
            tokio::time::sleep(FILE_CHECK_INTERVAL).await;
        }
    }

    /// Creates the socket file again. The file then belongs to the current user of the process.
    /// Fails if other users could connect to it.
    pub(super) fn bind_again(&mut self) -> io::Result<UnixListener> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        if file.group != Some(getegid()) {
            return Err(io::Error::other(
                "without privileges, the collector cannot set the group of the socket",
            ));
        }
        let listener = bind_private(&file.path)?;
        listener.set_nonblocking(true)?;
        file.inode = file.inode_now();
        Ok(listener)
    }

    /// Stops watching the socket file. Called if the file was removed and cannot be created again.
    pub(super) fn stop_watching(&mut self) {
        self.file = None;
    }
}

impl SocketFile {
    fn inode_now(&self) -> Option<u64> {
        let found = fstatat(&self.directory, &self.name, AtFlags::AT_SYMLINK_NOFOLLOW);
        found.ok().map(|found| found.st_ino)
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        let Some(file) = &self.file else { return };
        if file.inode_now() != file.inode {
            return; // another process has replaced the file
        }
        if let Err(error) = unlinkat(&file.directory, &file.name, UnlinkatFlags::NoRemoveDir) {
            // The remaining file does no harm, because the next collector replaces a socket file
            // without a listener.
            tracing::debug!("cannot remove the socket file: {error}");
        }
    }
}

/// Listens at `path`, or on the socket that systemd passed. `owner` is the user that the process
/// becomes later. Root and `group` may connect.
pub(crate) fn bind(
    path: &Path,
    owner: Option<&User>,
    group: Option<Gid>,
) -> Result<BoundSocket, SocketError> {
    if let Some(listener) = activation::inherited() {
        return Ok(BoundSocket { listener: Some(listener), file: None });
    }
    let failed = |doing| move |source| SocketError::Io { doing, path: path.to_owned(), source };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput.into()).map_err(failed("bind"))?;
    let location = Location {
        directory: open_directory(parent, owner, failed("create the directory of"))?,
        name: name.into(),
        path,
    };
    // The lock ensures that only one of two starting collectors finds the path free.
    let lock = location.lock().map_err(failed("lock the directory of"))?;
    location.clear_stale()?;
    let listener = location.bind().map_err(failed("bind"))?;
    drop(lock);
    let opened = location.open_to(group);
    let mut file = SocketFile {
        directory: location.directory,
        name: location.name,
        path: path.to_owned(),
        inode: None,
        group,
    };
    file.inode = file.inode_now();
    let socket = BoundSocket { listener: Some(listener), file: Some(file) };
    opened.map_err(failed("set group and mode of"))?;
    Ok(socket)
}

/// Opens the socket's directory, and creates it if it is missing. A new directory belongs to
/// `owner`, so that the process can still remove the socket after it has become this user. Fails if
/// other users could replace the socket in this directory.
fn open_directory(
    directory: &Path,
    owner: Option<&User>,
    failed: impl Fn(io::Error) -> SocketError,
) -> Result<File, SocketError> {
    let untrusted = |problem: String, fix: String| SocketError::Untrusted {
        directory: directory.to_owned(),
        problem,
        fix,
    };
    let made = make_directory(directory).map_err(&failed)?;
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(directory);
    let opened = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOTDIR | Errno::ELOOP) => untrusted(
            "is a symbolic link or not a directory".into(),
            "use the path of the real directory".into(),
        ),
        _ => failed(error),
    })?;
    let found = opened.metadata().map_err(&failed)?;
    if !may_own(found.uid(), owner) {
        return Err(untrusted(
            format!("belongs to user {}, and this user could replace the socket", found.uid()),
            "run `chown root` on it".into(),
        ));
    }
    if found.mode() & 0o002 != 0 {
        return Err(untrusted("is writable for all users".into(), "run `chmod o-w` on it".into()));
    }
    // Another user may have replaced the new directory in the meantime.
    if made && found.uid() == geteuid().as_raw() {
        // The inherited umask may have restricted the directory's mode.
        opened.set_permissions(fs::Permissions::from_mode(DIRECTORY_MODE)).map_err(&failed)?;
        if let Some(user) = owner {
            fchown(&opened, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(&failed)?;
        }
    }
    Ok(opened)
}

/// Creates the directory. Returns whether it was missing.
fn make_directory(directory: &Path) -> io::Result<bool> {
    if let Some(above) = directory.parent().filter(|above| !above.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(above)?;
    }
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Ok(()) => Ok(true),
        // The path exists, for example `/` or `.`. Opening it later fails unless it is a directory.
        Err(_) if directory.symlink_metadata().is_ok() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether user `uid` may own the directory. Allowed owners are root, the user that the process
/// becomes, the effective and real users of the process, and the user who ran sudo.
fn may_own(uid: u32, owner: Option<&User>) -> bool {
    // If the process is root, it can trust SUDO_UID, because sudo sets this variable. If the
    // process is not root, a false value of the variable gives the process no more rights.
    let caller = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    let ours = [Some(0), Some(geteuid().as_raw()), Some(getuid().as_raw()), caller];
    ours.contains(&Some(uid)) || owner.is_some_and(|user| user.uid.as_raw() == uid)
}

/// Binds a socket that has its final mode from the start.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    // The umask applies to all threads of the process, but no other thread creates files at this
    // time.
    let before = umask(Mode::from_bits_truncate(0o777 & !SOCKET_MODE));
    let bound = UnixListener::bind(path);
    umask(before);
    bound
}

/// The location of the socket file.
struct Location<'a> {
    directory: File,
    name: PathBuf,
    /// The path of the socket as the user specified it, for error messages.
    path: &'a Path,
}

impl Location<'_> {
    /// Returns a path of the socket that leads through the open directory. It stays valid even if
    /// the original path is renamed.
    fn through_directory(&self) -> PathBuf {
        Path::new("/proc/self/fd").join(self.directory.as_raw_fd().to_string()).join(&self.name)
    }

    /// Locks the directory against other collectors. Returns `None` if another process holds the
    /// lock for too long.
    fn lock(&self) -> io::Result<Option<Flock<File>>> {
        let begun = Instant::now();
        loop {
            match Flock::lock(self.directory.try_clone()?, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(Some(lock)),
                Err((_, Errno::EWOULDBLOCK)) if begun.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_RETRY_INTERVAL);
                }
                Err((_, Errno::EWOULDBLOCK)) => {
                    tracing::warn!(
                        "another process holds the lock on the directory of {}; the collector starts without the lock",
                        self.path.display()
                    );
                    return Ok(None);
                }
                Err((_, error)) => return Err(error.into()),
            }
        }
    }

    /// Removes the socket file of a collector that ended without removing it. Fails if a collector
    /// answers.
    fn clear_stale(&self) -> Result<(), SocketError> {
        let failed = |doing| move |source| SocketError::Io { doing, path: self.path.to_owned(), source };
        let path = self.through_directory();
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("inspect")(error)),
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NotASocket { path: self.path.to_owned() });
            }
            Ok(_) => {}
        }
        match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                unlinkat(&self.directory, &self.name, UnlinkatFlags::NoRemoveDir)
                    .map_err(|error| failed("remove the stale socket")(error.into()))
            }
            Err(error) => Err(failed("connect to")(error)),
            Ok(_) => Err(SocketError::Taken { path: self.path.to_owned() }),
        }
    }

    /// Binds the socket. The file then belongs to the group of the process.
    fn bind(&self) -> io::Result<UnixListener> {
        bind_private(&self.through_directory())
    }

    /// Lets `group` connect to the socket. Checks first that the file is a socket of this user, and
    /// changes only the checked file.
    fn open_to(&self, group: Option<Gid>) -> io::Result<()> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file: OwnedFd = openat(&self.directory, &self.name, flags, Mode::empty())?;
        let file = File::from(file);
        let found = file.metadata()?;
        if !found.file_type().is_socket() || found.uid() != geteuid().as_raw() {
            return Err(io::Error::other("another process has replaced the file"));
        }
        match group {
            Some(group) if group != getegid() => {
                fchownat(&file, "", None, Some(group), AtFlags::AT_EMPTY_PATH)?;
            }
            Some(_) => {}
            None => tracing::warn!(
                "there is no group khor, so only root can connect: create it with `groupadd --system khor` and \
                 add users with `usermod -aG khor USER`, or choose a group with --group"
            ),
        }
        // A default access control list of the directory overrides the umask.
        if found.mode() & 0o7777 != SOCKET_MODE {
            let path = Path::new("/proc/self/fd").join(file.as_raw_fd().to_string());
            fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, sync::mpsc};

    use parking_lot::{Mutex, MutexGuard};

    use super::*;

    /// Lets only one test at a time bind a socket. Binding changes the umask, which all threads of
    /// the process share.
    fn turn() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock()
    }

    #[test]
    fn stale_socket_is_replaced_live_one_kept() {
        let _turn = turn();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made").join("socket");
        drop(UnixListener::bind(dir.path().join("x")).unwrap());
        let first = bind(&path, None, Some(getegid())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, SOCKET_MODE);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
            DIRECTORY_MODE
        );
        assert!(matches!(bind(&path, None, Some(getegid())), Err(SocketError::Taken { .. })));
        drop(first);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).unwrap()); // does not remove its file
        let _second = bind(&path, None, Some(getegid())).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(matches!(bind(&dir.path().join("file"), None, None), Err(SocketError::NotASocket { .. })));
    }

    #[test]
    fn a_replaced_socket_is_not_changed() {
        let _turn = turn();
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("shadow");
        fs::write(&victim, "").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        let path = dir.path().join("socket");
        symlink(&victim, &path).unwrap();
        let directory = File::open(dir.path()).unwrap();
        let location = Location { directory, name: "socket".into(), path: &path };
        assert!(location.open_to(Some(getegid())).unwrap_err().to_string().contains("replaced the file"));
        fs::rename(&victim, &path).unwrap();
        location.open_to(Some(getegid())).unwrap_err();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_of_others_is_refused() {
        let _turn = turn();
        let dir = tempfile::tempdir().unwrap();
        let shared = dir.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
        symlink(dir.path(), dir.path().join("link")).unwrap();
        for (directory, fix) in [("shared", "chmod o-w"), ("link", "use the path of the real directory")] {
            let refused = bind(&dir.path().join(directory).join("socket"), None, None).unwrap_err();
            assert!(refused.to_string().contains(fix), "{refused}");
        }
        if geteuid().is_root() {
            fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
            std::os::unix::fs::chown(&shared, Some(54_321), None).unwrap();
            let refused = bind(&shared.join("socket"), None, None).unwrap_err();
            assert!(refused.to_string().contains("belongs to user 54321"), "{refused}");
        }
    }

    #[test]
    fn other_users_lock_does_not_block_start() {
        let _turn = turn();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let lock = Flock::lock(File::open(dir.path()).unwrap(), FlockArg::LockExclusive).unwrap();
        let (sender, bound) = mpsc::channel();
        std::thread::spawn(move || sender.send(bind(&path, None, Some(getegid())).map(drop)));
        bound
            .recv_timeout(khor_patience::hang_timeout())
            .expect("the start does not wait for the lock")
            .unwrap();
        drop(lock);
    }
}
