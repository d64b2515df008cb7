//! Converts instants to the time of the sequencer's queue. The queue's clock drifts against the
//! system clock. So khor measures the offset between the two clocks, and corrects it slowly.

use std::time::{Duration, Instant};

/// A reading corrects the offset between the two clocks by the measured error divided by this
/// number.
const CORRECTION_SHARE: u32 = 8;
/// If a reading differs from the expected time by more than this, one of the clocks has jumped.
/// Drift causes only smaller differences.
const MAX_DRIFT: Duration = Duration::from_millis(20);

/// One reading of the queue's time, with the instants before and after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) before: Instant,
    pub(super) queue: Duration,
    pub(super) after: Instant,
}

impl Reading {
    /// Returns the more exact of two readings: the reading that took less time.
    pub(super) fn sharper(self, other: Self) -> Self {
        if other.after - other.before < self.after - self.before { other } else { self }
    }
}

/// Converts instants to the queue's time and back.
#[derive(Debug)]
pub(super) struct TimeMap {
    /// The instant at which the queue's time was zero.
    zero: Instant,
}

impl TimeMap {
    /// Creates the conversion from the first reading of a queue's time.
    pub(super) fn new(reading: Reading) -> Self {
        let middle = reading.before + (reading.after - reading.before) / 2;
        Self { zero: middle.checked_sub(reading.queue).unwrap_or(middle) }
    }

    /// Corrects the conversion with a new reading. Converts the reading's queue time to an instant.
    /// If this instant is between the reading's two instants, no correction is needed.
    pub(super) fn follow(&mut self, reading: Reading) {
        let expected = self.instant(reading.queue);
        let early = reading.before.saturating_duration_since(expected);
        let late = expected.saturating_duration_since(reading.after);
        if early.max(late) > MAX_DRIFT {
            *self = Self::new(reading);
        } else if early > Duration::ZERO {
            self.zero += early / CORRECTION_SHARE;
        } else if let Some(earlier) = self.zero.checked_sub(late / CORRECTION_SHARE) {
            self.zero = earlier;
        }
    }

    /// The queue's time at an instant; zero before the queue started.
    pub(super) fn queue(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.zero)
    }

    /// The instant at which the queue has this time.
    pub(super) fn instant(&self, queue: Duration) -> Instant {
        self.zero + queue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(before: Instant, queue_us: u64, bracket_us: u64) -> Reading {
        let after = before + Duration::from_micros(bracket_us);
        Reading { before, queue: Duration::from_micros(queue_us), after }
    }

    #[test]
    fn the_time_map_follows_clock_drift() {
        let start = Instant::now() + Duration::from_mins(1);
        let mut map = TimeMap::new(reading(start, 0, 10));
        for second in 1..=300 {
            // The queue's clock gains 100 µs a second, which is ten times as much as with real
            // clocks.
            let (now, queue_us) = (start + Duration::from_secs(second), second * 1_000_100);
            map.follow(reading(now, queue_us, 10));
            let error = map.queue(now).abs_diff(Duration::from_micros(queue_us));
            assert!(error < Duration::from_millis(1), "{error:?} after {second} s");
        }
    }

    #[test]
    fn inexact_readings_are_ignored_jumps_accepted() {
        let start = Instant::now() + Duration::from_mins(1);
        let mut map = TimeMap::new(reading(start, 0, 0));
        let second = start + Duration::from_secs(1);
        map.follow(reading(second, 1_005_000, 9000));
        assert_eq!(map.queue(second), Duration::from_secs(1));
        map.follow(reading(second, 500_000, 0));
        assert_eq!(map.queue(second), Duration::from_millis(500));
        assert_eq!(map.instant(map.queue(second)), second);
    }
}
