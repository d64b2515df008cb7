//! Socket activation: uses a listener that systemd opened. This is one of the few modules with
//! `unsafe`.

use std::os::{fd::FromRawFd, unix::net::UnixListener};

/// The listener that systemd passed to this process (`sd_listen_fds(3)`), if any. Call this
/// function once, before the process opens files.
pub(super) fn inherited() -> Option<UnixListener> {
    let descriptor = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: systemd opened the descriptor for this process, and nothing else uses it.
    let listener = unsafe { UnixListener::from_raw_fd(descriptor) };
    match listener.local_addr() {
        Ok(_) => Some(listener),
        Err(error) => {
            tracing::warn!(
                "systemd passed a descriptor that is not a Unix socket ({error}); the collector creates its own socket"
            );
            std::mem::forget(listener); // its descriptor has another owner
            None
        }
    }
}
