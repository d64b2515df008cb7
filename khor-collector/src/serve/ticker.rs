//! A connection's clock: a kernel timer rather than one of the runtime's; one of the few modules with `unsafe`.
//!
//! The runtime's timers wake the process up to three times per tick (coarse wheel, fine wheel, itself); at 50 Hz
//! that was most of what the collector cost. A timer descriptor wakes it once, keeps its phase, and counts the
//! ticks nobody waited for instead of repeating them: counters are cumulative, so a late sample says it all.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Ticks at once, and then at every interval.
#[derive(Debug)]
pub(super) struct Ticker {
    timer: AsyncFd<OwnedFd>,
}

impl Ticker {
    /// Ticks every `interval`, which must not be zero.
    pub(super) fn every(interval: Duration) -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let at_once = TimeSpec::from_duration(Duration::from_nanos(1)); // zero would disarm it
        let expiration = Expiration::IntervalDelayed(at_once, TimeSpec::from_duration(interval));
        timer.set(expiration, TimerSetTimeFlags::empty())?;
        // SAFETY: the `AsyncFd` owns the descriptor, which therefore stays open for as long as it is registered.
        let timer = unsafe { AsyncFd::register_with_interest(OwnedFd::from(timer), Interest::READABLE) }?;
        Ok(Self { timer })
    }

    /// Waits for the next tick. Dropping the future before it is done loses nothing.
    pub(super) async fn tick(&self) -> io::Result<()> {
        self.timer
            .async_io(Interest::READABLE, |timer| {
                let mut missed_and_now = [0; size_of::<u64>()];
                nix::unistd::read(timer, &mut missed_and_now).map(drop).map_err(io::Error::from)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn missed_ticks_come_as_one_and_the_phase_stays() {
        let begun = Instant::now();
        let ticker = Ticker::every(Duration::from_millis(50)).unwrap();
        ticker.tick().await.unwrap();
        assert!(begun.elapsed() < Duration::from_millis(40));
        std::thread::sleep(Duration::from_millis(170));
        ticker.tick().await.unwrap(); // those of 50, 100 and 150 ms
        ticker.tick().await.unwrap(); // that of 200 ms
        let elapsed = begun.elapsed();
        assert!((195..245).contains(&elapsed.as_millis()), "{elapsed:?}");
    }
}
