//! Waits for something to become true. The only limit is a hang, in machine time: see [`khor_patience`].

use std::{
    thread,
    time::{Duration, Instant},
};

use khor_patience::{Patience, progress};

/// Time between two checks.
const CHECK_EVERY: Duration = Duration::from_millis(5);
/// Time between two reports to the watchdog.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Waits until `holds`, checking every few milliseconds. Returns how long it took.
///
/// # Panics
///
/// With `what`, if it does not hold after a minute of machine time.
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

/// Waits until `find` returns something, and returns it. The panic is that of [`wait_until`].
pub fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let mut wait = Wait::new(what);
    loop {
        if let Some(found) = find() {
            return found;
        }
        wait.pause(String::new);
    }
}

/// A wait in a loop of the caller's, who calls [`Self::pause`] or [`Self::check`] in each round.
#[derive(Debug)]
pub struct Wait {
    what: String,
    begun: Instant,
    reported: Instant,
    patience: Patience,
}

impl Wait {
    /// Begins to wait for `what`, and reports that to the watchdog.
    pub fn new(what: &str) -> Self {
        progress(format!("waiting for {what}"));
        let now = Instant::now();
        Self { what: what.to_owned(), begun: now, reported: now, patience: Patience::default() }
    }

    /// Sleeps for a moment.
    ///
    /// # Panics
    ///
    /// With `details`, after a minute of machine time.
    pub fn pause(&mut self, details: impl FnOnce() -> String) {
        self.check(details);
        thread::sleep(CHECK_EVERY);
    }

    /// Like [`Self::pause`], without the sleep. Call it at least once a second.
    pub fn check(&mut self, details: impl FnOnce() -> String) {
        let (what, begun) = (&self.what, self.begun);
        assert!(!self.patience.is_over(), "waited {:?} in vain for {what}\n{}", begun.elapsed(), details());
        // This loop has its own limit. The watchdog is for checks that block.
        if self.reported.elapsed() >= REPORT_EVERY {
            self.reported = Instant::now();
            progress(format!("waiting for {}", self.what));
        }
    }
}
