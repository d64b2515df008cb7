//! A timeout for file systems. If the server of a network file system does not answer, an access
//! blocks for minutes, and no signal interrupts it.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, TryRecvError, sync_channel},
    thread,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

/// Longest time that khor waits for a file system.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// The paths whose last access timed out and still blocks its thread. khor does not access such a
/// path again, because this would only block another thread.
static HUNG: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Runs `work` on `path` in its own thread and waits for at most [`TIMEOUT`].
///
/// # Errors
///
/// Returns [`io::ErrorKind::TimedOut`] if the file system does not answer in time. Until it
/// answers, every further access to this path fails immediately. All other errors come from `work`.
pub fn with_timeout<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    within(TIMEOUT, path, work)
}

pub(super) fn within<T: Send + 'static>(
    timeout: Duration,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if hung().contains(path) {
        return Err(timed_out(timeout));
    }
    let (sender, receiver) = sync_channel(1);
    let owned_path = path.to_owned();
    thread::Builder::new().name("khor-file".into()).spawn(move || {
        // After a timeout there is no receiver, and the late result is dropped.
        drop(sender.send(work(&owned_path)));
        hung().remove(&owned_path);
    })?;
    match receiver.recv_timeout(timeout) {
        Ok(result) => result,
        Err(RecvTimeoutError::Disconnected) => Err(panicked()),
        Err(RecvTimeoutError::Timeout) => {
            let mut hung = hung();
            // The thread sends its result first, and then locks `HUNG` and removes the path. While
            // this function holds the lock and there is no result, it is safe to add the path: the
            // thread will remove the path later.
            match receiver.try_recv() {
                Ok(result) => result,
                Err(TryRecvError::Disconnected) => Err(panicked()),
                Err(TryRecvError::Empty) => {
                    hung.insert(path.to_owned());
                    Err(timed_out(timeout))
                }
            }
        }
    }
}

fn hung() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HUNG.lock()
}

fn timed_out(timeout: Duration) -> io::Error {
    let message =
        format!("the file system did not answer within {} s; check its server", timeout.as_secs_f32());
    io::Error::new(io::ErrorKind::TimedOut, message)
}

fn panicked() -> io::Error {
    io::Error::other("the thread that accesses the file panicked")
}
