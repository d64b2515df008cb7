//! Tells a hang from a slow machine.
//!
//! Tests, virtual machines and the judge are never given up because they are slow. They are given up when they make no
//! progress for [`HANG`], counted in machine time: while the machine needs twice as long for a fixed piece of work, a
//! second counts half. An emulated processor, a busy neighbour and a stopped clock all stretch the limit that way.
//!
//! [`Patience`] is for waiting in a loop. [`progress`] is for everything else: it starts a watchdog that ends the process.
//! [`Lateness`] is for tests that bound how long the program under test waits.

mod lateness;
mod watchdog;
mod yardstick;

use std::time::{Duration, Instant};

pub use lateness::Lateness;
pub use watchdog::progress;
pub use yardstick::slowness;

/// Time without progress after which something counts as hung, in machine time.
pub const HANG: Duration = Duration::from_mins(1);
/// Environment variable with a factor above 0 that [`HANG`] is multiplied by, such as 10 under a debugger.
pub const FACTOR: &str = "KHOR_PATIENCE";

/// Time between two measurements of the machine. Each takes about 5 ms of a processor.
const LOOK: Duration = Duration::from_secs(1);
/// A longer gap between two questions counts as this long: the process or its machine stood still.
const LONGEST_GAP: Duration = Duration::from_secs(2);

/// How long to wait for something, in machine time.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    spent: Duration,
    asked: Instant,
}

impl Default for Patience {
    /// Lasts for [`HANG`] without progress.
    fn default() -> Self {
        Self::new(HANG)
    }
}

impl Patience {
    /// Lasts for `limit` without progress, times the factor in [`FACTOR`].
    pub fn new(limit: Duration) -> Self {
        Self { limit: limit.mul_f64(factor()), spent: Duration::ZERO, asked: Instant::now() }
    }

    /// There was progress: the whole limit is available again.
    pub fn renew(&mut self) {
        self.spent = Duration::ZERO;
        self.asked = Instant::now();
    }

    /// Whether the limit is used up. Ask at least once a second: longer gaps are not fully counted.
    pub fn is_over(&mut self) -> bool {
        let gap = self.asked.elapsed();
        if gap >= LOOK {
            self.spend(gap, slowness());
            self.asked = Instant::now();
        }
        self.spent >= self.limit
    }

    fn spend(&mut self, gap: Duration, slowness: f64) {
        self.spent += gap.min(LONGEST_GAP).div_f64(slowness);
    }
}

/// How long a blocking call may take before it counts as hung: [`HANG`] at the machine's present speed. For functions that
/// take a time limit, such as `set_read_timeout`; a loop uses [`Patience`].
pub fn hang_timeout() -> Duration {
    HANG.mul_f64(factor() * slowness())
}

/// The factor in [`FACTOR`], 1 unless it is set.
///
/// # Panics
///
/// If it is not a number above 0.
fn factor() -> f64 {
    let Some(text) = std::env::var_os(FACTOR) else { return 1.0 };
    let factor = text.to_str().and_then(|text| text.parse::<f64>().ok());
    let factor = factor.filter(|factor| *factor > 0.0 && factor.is_finite());
    factor.unwrap_or_else(|| panic!("{FACTOR} is {}; set it to a number above 0", text.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn slow_machine_gets_more_time() {
        let mut patience = Patience::new(10 * SECOND);
        (0..39).for_each(|_| patience.spend(SECOND, 4.0));
        assert!(!patience.is_over());
        patience.spend(SECOND, 4.0);
        assert!(patience.is_over());
    }

    #[test]
    fn machine_that_stood_still_loses_little() {
        let mut patience = Patience::new(10 * SECOND);
        patience.spend(3600 * SECOND, 1.0);
        assert!(!patience.is_over());
    }

    #[test]
    fn progress_renews_the_limit() {
        let mut patience = Patience::new(3 * SECOND);
        patience.spend(2 * SECOND, 1.0);
        patience.renew();
        patience.spend(2 * SECOND, 1.0);
        assert!(!patience.is_over());
    }

    #[test]
    fn waiting_uses_the_limit_up() {
        let mut patience = Patience::new(SECOND);
        let begun = Instant::now();
        while !patience.is_over() {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(begun.elapsed() >= SECOND);
    }
}
