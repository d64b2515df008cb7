//! Limits how many log records clients can cause.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A limit for log records, so that no client can fill the log. It permits a number of records in
/// each interval, and counts the others.
#[derive(Debug)]
pub struct RateLimit {
    most: u32,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    interval_start: Option<Instant>,
    permitted: u32,
    suppressed: u64,
}

impl RateLimit {
    /// Creates a limit of `most` records in each `interval`.
    pub const fn new(most: u32, interval: Duration) -> Self {
        let state = State { interval_start: None, permitted: 0, suppressed: 0 };
        Self { most, interval, state: Mutex::new(state) }
    }

    /// Requests permission to log a record at the time `now`. If permitted, returns the number of
    /// records that were suppressed since the last permitted one. `None` if this record must be
    /// suppressed.
    pub fn permit(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        if state.interval_start.is_none_or(|start| now.duration_since(start) >= self.interval) {
            (state.interval_start, state.permitted) = (Some(now), 0);
        }
        if state.permitted >= self.most {
            state.suppressed += 1;
            return None;
        }
        state.permitted += 1;
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_permits_ten_and_counts_rest() {
        let (limit, start) = (RateLimit::new(10, Duration::from_secs(10)), Instant::now());
        assert!((0..10).all(|_| limit.permit(start) == Some(0)));
        assert!((0..7).all(|_| limit.permit(start).is_none()));
        let later = start + Duration::from_secs(10);
        assert_eq!(limit.permit(later), Some(7));
        assert_eq!(limit.permit(later), Some(0));
    }
}
