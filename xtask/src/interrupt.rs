//! Ctrl-C and its like: what is running ends first, and leaves a report.

use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Set by a signal: nothing new is begun.
static STOP: AtomicBool = AtomicBool::new(false);

/// From here on SIGINT, SIGTERM and SIGHUP only set [`is_set`]. Other programs of this process's group get SIGINT themselves.
pub(crate) fn catch() {
    static CATCH: Once = Once::new();
    CATCH.call_once(|| {
        if let Err(error) = ctrlc::set_handler(|| STOP.store(true, Relaxed)) {
            eprintln!("cannot handle Ctrl-C ({error}): it ends this process without a report");
        }
    });
}

/// Whether the user wants everything to end.
pub(crate) fn is_set() -> bool {
    STOP.load(Relaxed)
}
