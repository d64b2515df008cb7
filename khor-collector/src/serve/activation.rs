//! Socket activation: takes over a listener that systemd opened; one of the few modules with `unsafe`.

use std::os::fd::FromRawFd;
use std::os::unix::net::UnixListener;

/// First descriptor systemd passes (`SD_LISTEN_FDS_START`).
const FIRST_FD: i32 = 3;

/// The listener passed to this process (`sd_listen_fds(3)`), if any. Call once, before anything opens files.
pub(super) fn inherited() -> Option<UnixListener> {
    let pid: u32 = std::env::var("LISTEN_PID").ok()?.parse().ok()?;
    let count: u32 = std::env::var("LISTEN_FDS").ok()?.parse().ok()?;
    if pid != std::process::id() || count == 0 {
        return None;
    }
    // SAFETY: by the protocol just checked, descriptor 3 was opened for this process and nobody else uses it.
    let listener = unsafe { UnixListener::from_raw_fd(FIRST_FD) };
    match listener.local_addr() {
        Ok(_) => Some(listener),
        Err(error) => {
            tracing::warn!("the socket systemd passed is no Unix socket ({error}): making one");
            std::mem::forget(listener); // not ours after all
            None
        }
    }
}
