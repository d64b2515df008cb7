//! Socket activation: takes over a listener that systemd opened. One of the few modules with
//! `unsafe`.

use std::os::{fd::FromRawFd, unix::net::UnixListener};

/// The listener that systemd passed to this process (`sd_listen_fds(3)`), if any. Call this once,
/// before anything opens files.
pub(super) fn inherited() -> Option<UnixListener> {
    let descriptor = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: by the protocol, the descriptor was opened for this process, and nothing else uses
    // it.
    let listener = unsafe { UnixListener::from_raw_fd(descriptor) };
    match listener.local_addr() {
        Ok(_) => Some(listener),
        Err(error) => {
            tracing::warn!("the socket systemd passed is no Unix socket ({error}): making one");
            std::mem::forget(listener); // not ours after all
            None
        }
    }
}
