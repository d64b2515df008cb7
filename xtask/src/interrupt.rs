//! Handles Ctrl-C and similar signals: the running work ends first, and xtask still prints a
//! report.

use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Whether a signal has arrived. Callers then start no new work.
static STOP: AtomicBool = AtomicBool::new(false);

/// From now on, SIGINT, SIGTERM and SIGHUP only set [`is_set`]. Other programs in this process
/// group receive the SIGINT of Ctrl-C too.
pub(crate) fn catch() {
    static CATCH: Once = Once::new();
    CATCH.call_once(|| {
        if let Err(error) = ctrlc::set_handler(|| STOP.store(true, Relaxed)) {
            eprintln!("cannot handle Ctrl-C: {error}; Ctrl-C ends this process without a report");
        }
    });
}

/// Whether the user has requested the end.
pub(crate) fn is_set() -> bool {
    STOP.load(Relaxed)
}
