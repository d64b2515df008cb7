//! Measures how late threads wake up on this machine.
//!
//! If a test limits how long the program under test may take, the test adds this lateness to the
//! limit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Length of each sleep whose delay is measured.
const NAP: Duration = Duration::from_millis(5);

/// A thread that sleeps again and again, and measures how late it wakes up. Dropping this value
/// ends the thread.
#[derive(Debug)]
pub struct Lateness {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    total_ns: AtomicU64,
    longest_ns: AtomicU64,
}

impl Lateness {
    /// Starts the thread that sleeps and measures.
    pub fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || measure(&shared)
        });
        Self { shared, thread: Some(thread) }
    }

    /// The sum of the delays of all wake-ups so far.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.shared.total_ns.load(Relaxed))
    }

    /// The longest delay of a wake-up so far.
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.shared.longest_ns.load(Relaxed))
    }
}

impl Drop for Lateness {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn measure(shared: &Shared) {
    while !shared.is_over.load(Relaxed) {
        let begun = Instant::now();
        thread::sleep(NAP);
        let late_ns = begun.elapsed().saturating_sub(NAP).as_nanos() as u64;
        shared.total_ns.fetch_add(late_ns, Relaxed);
        shared.longest_ns.fetch_max(late_ns, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_add_up() {
        let lateness = Lateness::start();
        while lateness.total() == Duration::ZERO {
            thread::sleep(NAP);
        }
        assert!(lateness.longest() <= lateness.total());
    }
}
