//! Distinguishes a hang from a slow machine.
//!
//! Tests, virtual machines and khor-ear never fail because they are slow. They fail when they make
//! no progress for [`HANG`]. This limit is in machine time, which runs slower on a slow machine:
//! while a fixed piece of work takes twice its usual time, each second counts as half a second. So
//! an emulated or busy processor gets more time.
//!
//! Use [`Patience`] to wait in a loop. Use [`progress`] for everything else: it starts a watchdog
//! that ends a hung process. Use [`Lateness`] in a test that limits how long the program under test
//! waits.

mod lateness;
mod watchdog;
mod yardstick;

use std::time::{Duration, Instant};

pub use self::{lateness::Lateness, watchdog::progress, yardstick::slowness};

/// Longest time without progress, after which a test or a virtual machine counts as hung. It is in
/// machine time, which runs slower on a slow machine.
pub const HANG: Duration = Duration::from_mins(1);
/// Environment variable with a factor by which [`HANG`] is multiplied, a number above 0. Set it to
/// 10 under a debugger.
pub const FACTOR: &str = "KHOR_PATIENCE";

/// Time between two measurements of the machine's speed. Each measurement uses about 5 ms of
/// processor time.
const LOOK: Duration = Duration::from_secs(1);
/// Longest time that counts between two checks. If more time has passed, the process or its machine
/// was probably suspended, so the rest of the time does not count.
const LONGEST_GAP: Duration = Duration::from_secs(2);

/// Limits how much machine time may pass without progress.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    spent: Duration,
    asked: Instant,
}

impl Default for Patience {
    /// Allows [`HANG`] without progress, multiplied by the factor in [`FACTOR`].
    fn default() -> Self {
        Self::new(HANG)
    }
}

impl Patience {
    /// Allows the time `limit` without progress, multiplied by the factor in [`FACTOR`].
    pub fn new(limit: Duration) -> Self {
        Self { limit: limit.mul_f64(factor()), spent: Duration::ZERO, asked: Instant::now() }
    }

    /// Reports progress, which restarts the limit.
    pub fn renew(&mut self) {
        self.spent = Duration::ZERO;
        self.asked = Instant::now();
    }

    /// Whether the limit is used up. Call this at least once a second, because longer gaps between
    /// calls do not count in full.
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

/// How long a blocking call may take before it counts as hung: [`HANG`] at the machine's current
/// speed.
///
/// Use this for functions that take a timeout, such as `set_read_timeout`. Use [`Patience`] in
/// loops.
pub fn hang_timeout() -> Duration {
    HANG.mul_f64(factor() * slowness())
}

/// The value of the environment variable [`FACTOR`]; 1 if it is not set.
///
/// # Panics
///
/// Panics if the value of [`FACTOR`] is not a number above 0.
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
    fn suspended_machine_loses_little_time() {
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
    fn waiting_uses_up_the_limit() {
        let mut patience = Patience::new(SECOND);
        let begun = Instant::now();
        while !patience.is_over() {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(begun.elapsed() >= SECOND);
    }
}
