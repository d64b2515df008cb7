//! Renders the sound for the tap's listeners while no sound device plays. A thread requests samples
//! from the synth as fast as a sound device would.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::renderer::Lease;

/// Time between two requests for samples.
const PERIOD: Duration = Duration::from_millis(10);
/// Maximum number of frames that the thread requests from the renderer at a time.
const BUFFER_FRAMES: usize = 512;
/// If the thread is late by more than this number of seconds, for example because the machine
/// slept, it skips the missed frames.
const SKIP_S: f64 = 1.0;

/// A thread that requests samples from a renderer, as a sound device would. The thread borrows the
/// renderer.
pub(super) struct Pacer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Pacer {
    /// Starts a thread that requests `sample_rate_hz` frames a second. If the thread cannot start,
    /// the lease is dropped, which returns the renderer.
    pub(super) fn start(mut lease: Lease, sample_rate_hz: u32) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let pace = move || {
            let mut clock = FrameClock::new(sample_rate_hz);
            let mut out = [0.0; 2 * BUFFER_FRAMES];
            while !stopped.load(Relaxed) {
                thread::sleep(PERIOD);
                let mut due = clock.due(Instant::now());
                while due > 0 {
                    let frames = due.min(BUFFER_FRAMES);
                    lease.fill(&mut out[..2 * frames], 2, 0.0);
                    due -= frames;
                }
            }
        };
        let thread = thread::Builder::new().name("khor-pacer".into()).spawn(pace)?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread, which returns the renderer.
    pub(super) fn stop(self) {
        self.stop.store(true, Relaxed);
        // If the thread has panicked, the panic was logged and the renderer was still returned.
        drop(self.thread.join());
    }
}

/// Counts the frames that a device would have requested.
struct FrameClock {
    sample_rate_hz: f64,
    start: Instant,
    /// Number of frames requested since `start`.
    frames: u64,
}

impl FrameClock {
    fn new(sample_rate_hz: u32) -> Self {
        Self { sample_rate_hz: f64::from(sample_rate_hz), start: Instant::now(), frames: 0 }
    }

    /// Returns the number of frames that must be requested now.
    fn due(&mut self, now: Instant) -> usize {
        let total = (now.duration_since(self.start).as_secs_f64() * self.sample_rate_hz) as u64;
        let missing = total.saturating_sub(self.frames);
        self.frames = total.max(self.frames);
        if missing as f64 > SKIP_S * self.sample_rate_hz { 0 } else { missing as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pacer_follows_time_and_skips_sleep() {
        let mut clock = FrameClock::new(44_100);
        let at = |ms: u64| clock_start(&clock) + Duration::from_millis(ms);
        let times: Vec<Instant> = (0..=1000).map(|i| at(i * 7)).collect();
        let requested: usize = times.iter().map(|now| clock.due(*now)).sum();
        assert_eq!(requested, 7 * 44_100);
        let later = times[1000] + Duration::from_hours(1);
        assert_eq!(clock.due(later), 0, "the frames of the hour are skipped");
        assert_eq!(clock.due(later + Duration::from_millis(10)), 441);
        assert_eq!(clock.due(later), 0, "no frame is requested twice");
    }

    fn clock_start(clock: &FrameClock) -> Instant {
        clock.start
    }
}
