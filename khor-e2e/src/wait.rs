//! Waits for a condition. A wait fails only when it hangs, as [`khor_patience`] defines it.

use std::{
    thread,
    time::{Duration, Instant},
};

use khor_patience::{Patience, progress};

/// Time between two checks of the condition that a caller waits for.
const CHECK_EVERY: Duration = Duration::from_millis(5);
/// Time between two reports to the watchdog, which the wait makes while it lasts.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Waits until `holds` returns true, and checks every few milliseconds. Returns the time that the
/// wait took.
///
/// # Panics
///
/// Panics if `holds` still returns false after a minute of machine time. The message contains
/// `what`.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let mut wait = Wait::new(what);
    while !holds() {
        wait.pause(String::new);
    }
    wait.begun.elapsed()
}

/// Like [`wait_until`], on an asynchronous runtime.
pub async fn wait_until_async(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let mut wait = Wait::new(what);
    while !holds() {
        wait.check(String::new);
        tokio::time::sleep(CHECK_EVERY).await;
    }
    wait.begun.elapsed()
}

/// Waits until `find` returns a value, and returns the value.
///
/// # Panics
///
/// Panics if `find` still returns `None` after a minute of machine time. The message contains
/// `what`.
pub fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let mut wait = Wait::new(what);
    loop {
        if let Some(found) = find() {
            return found;
        }
        wait.pause(String::new);
    }
}

/// A wait in the caller's own loop. The loop must call [`Self::pause`] or [`Self::check`] in each
/// round.
#[derive(Debug)]
pub struct Wait {
    what: String,
    begun: Instant,
    reported: Instant,
    patience: Patience,
}

impl Wait {
    /// Starts a wait for `what`, and reports it to the watchdog.
    pub fn new(what: &str) -> Self {
        progress(format!("waiting for {what}"));
        let now = Instant::now();
        Self { what: what.to_owned(), begun: now, reported: now, patience: Patience::default() }
    }

    /// Sleeps for a few milliseconds.
    ///
    /// # Panics
    ///
    /// Panics if the wait has lasted a minute of machine time. The message ends with `details`.
    pub fn pause(&mut self, details: impl FnOnce() -> String) {
        self.check(details);
        thread::sleep(CHECK_EVERY);
    }

    /// Like [`Self::pause`], without the sleep. Call this at least once a second.
    pub fn check(&mut self, details: impl FnOnce() -> String) {
        let (what, begun) = (&self.what, self.begun);
        assert!(
            !self.patience.is_over(),
            "timed out after {:?}: waiting for {what}\n{}",
            begun.elapsed(),
            details()
        );
        // This wait has its own limit, so the watchdog must not count it as a hang. The watchdog
        // detects only a loop that blocks between two checks.
        if self.reported.elapsed() >= REPORT_EVERY {
            self.reported = Instant::now();
            progress(format!("waiting for {}", self.what));
        }
    }
}
