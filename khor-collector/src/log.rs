//! Logging to stderr, and the brake on messages that a client can cause.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;

/// Starts logging; `KHOR_LOG` says what. Times are left out under systemd, whose journal has its own.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("KHOR_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let format = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        format.without_time().init();
    } else {
        format.init();
    }
}

/// Lets a few messages per interval through and counts the rest, so that no client can fill the log.
#[derive(Debug)]
pub(crate) struct Brake {
    state: Mutex<BrakeState>,
}

#[derive(Debug)]
struct BrakeState {
    interval_start: Instant,
    passed: u32,
    held_back: u64,
}

impl Brake {
    const INTERVAL: Duration = Duration::from_secs(10);
    const PER_INTERVAL: u32 = 10;

    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(BrakeState { interval_start: Instant::now(), passed: 0, held_back: 0 }) }
    }

    /// Whether to log now, and how many messages were held back since the last one: `None` is no.
    pub(crate) fn release(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().expect("nothing panics holding it");
        if now.duration_since(state.interval_start) >= Self::INTERVAL {
            (state.interval_start, state.passed) = (now, 0);
        }
        if state.passed >= Self::PER_INTERVAL {
            state.held_back += 1;
            return None;
        }
        state.passed += 1;
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brake_passes_ten_then_counts() {
        let brake = Brake::new();
        let start = Instant::now();
        assert!((0..10).all(|_| brake.release(start) == Some(0)));
        assert!((0..7).all(|_| brake.release(start).is_none()));
        assert_eq!(brake.release(start + Brake::INTERVAL), Some(7));
        assert_eq!(brake.release(start + Brake::INTERVAL), Some(0));
    }
}
