//! Locks that work across all test processes on this machine.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    thread,
    time::Duration,
};

use khor_patience::progress;

/// Time between two attempts to take a lock.
const RETRY_EVERY: Duration = Duration::from_millis(50);

/// A held lock. On this machine, at most one value of this type exists for a name. The lock is
/// released when the value is dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct MachineLock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

impl MachineLock {
    /// Waits for the lock `name`. The watchdog does not count this wait as a hang, because the
    /// process that holds the lock has its own watchdog.
    pub(crate) fn wait_for(name: &str) -> Self {
        loop {
            if let Some(lock) = Self::try_new(name).unwrap_or_else(|error| panic!("lock {name}: {error}")) {
                return lock;
            }
            progress(format!("waiting for the lock {name}"));
            thread::sleep(RETRY_EVERY);
        }
    }

    /// Takes the lock `name`; `None` while it is held.
    pub(crate) fn try_new(name: &str) -> io::Result<Option<Self>> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        // The file is never removed. Otherwise, a process could hold a lock on the removed file
        // while another locks a new file.
        let file = File::options().create(true).append(true).open(folder.join(name))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The folder of this user's locks. A user cannot open lock files of another user.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("khor-e2e-locks-{}", nix::unistd::getuid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_excludes_others_until_dropped() {
        let name = format!("test-{}", std::process::id());
        let first = MachineLock::wait_for(&name);
        assert!(MachineLock::try_new(&name).unwrap().is_none());
        let waiting = thread::spawn({
            let name = name.clone();
            move || MachineLock::wait_for(&name)
        });
        thread::sleep(2 * RETRY_EVERY);
        assert!(!waiting.is_finished());
        drop(first);
        drop(waiting.join().unwrap());
        assert!(MachineLock::try_new(&name).unwrap().is_some());
        fs::remove_file(folder().join(name)).unwrap();
    }
}
