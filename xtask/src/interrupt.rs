//! Handles Ctrl-C and similar signals. After a signal, xtask ends the running work, starts no other
//! work, and still prints its report.

use std::sync::{
    Once,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Whether a signal has arrived. Callers then start no new work.
static STOP: AtomicBool = AtomicBool::new(false);

/// Makes SIGINT, SIGTERM and SIGHUP set the flag that [`is_set`] returns, and do nothing else.
/// Ctrl-C still sends SIGINT to the other programs in this process group.
pub(crate) fn catch() {
    static CATCH: Once = Once::new();
    CATCH.call_once(|| {
        if let Err(error) = ctrlc::set_handler(|| STOP.store(true, Relaxed)) {
            eprintln!("cannot handle Ctrl-C: {error}; Ctrl-C ends this process without a report");
        }
    });
}

/// Whether the user has asked xtask to stop.
pub(crate) fn is_set() -> bool {
    STOP.load(Relaxed)
}
