//! The state that the audio callback shares with other threads, without locks.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use khor_synth::Synth;

/// A stream counts as stopped if its callback has not run for this long.
const STALE_AFTER: Duration = Duration::from_millis(500);

/// The values that the callback publishes. All atomic accesses are relaxed, because the values do
/// not depend on each other.
#[derive(Debug)]
pub(super) struct CallbackState {
    epoch: Instant,
    frames: AtomicU64,
    sample_rate_hz: AtomicU32,
    last_callback_us: AtomicU64,
    load_bits: AtomicU32,
    latency_bits: AtomicU32,
    peak_bits: AtomicU32,
    voices: AtomicU32,
    voice_limit: AtomicU32,
    started: AtomicBool,
    dropped_notes: AtomicU64,
    lost_notes: AtomicU64,
    stream: AtomicU32,
    fading: AtomicBool,
}

/// Measurements that the audio callback publishes after each block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioMeters {
    /// Time that the callback took, divided by the length of its block. If it is above 1, the sound
    /// has gaps.
    pub callback_load: f32,
    /// Time from a note's onset in the synth until it sounds, as reported by the backend, seconds.
    /// `None` while no device runs.
    pub latency_s: Option<f32>,
    /// Highest absolute value of the recent samples, 0..=1.
    pub peak: f32,
    /// Number of voices that are sounding.
    pub voices: u32,
    /// Maximum number of voices that may sound. It is reduced while the processor is too slow for
    /// all voices.
    pub voice_limit: u32,
    /// Number of notes that were dropped because the synth or the command queue was full.
    pub dropped_notes: u64,
}

impl CallbackState {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        Self {
            epoch: Instant::now(),
            frames: AtomicU64::new(0),
            sample_rate_hz: AtomicU32::new(sample_rate_hz),
            last_callback_us: AtomicU64::new(0),
            load_bits: AtomicU32::new(0),
            latency_bits: AtomicU32::new(0),
            peak_bits: AtomicU32::new(0),
            voices: AtomicU32::new(0),
            voice_limit: AtomicU32::new(Synth::VOICES),
            started: AtomicBool::new(false),
            dropped_notes: AtomicU64::new(0),
            lost_notes: AtomicU64::new(0),
            stream: AtomicU32::new(0),
            fading: AtomicBool::new(false),
        }
    }

    /// Publishes the values for a rendered block. The callback calls this after each block, so this
    /// function is real-time safe.
    pub(super) fn publish(&self, frames: u64, meters: AudioMeters) {
        self.frames.store(frames, Relaxed);
        self.load_bits.store(meters.callback_load.to_bits(), Relaxed);
        self.latency_bits.store(meters.latency_s.unwrap_or_default().to_bits(), Relaxed);
        self.peak_bits.store(meters.peak.to_bits(), Relaxed);
        self.voices.store(meters.voices, Relaxed);
        self.voice_limit.store(meters.voice_limit, Relaxed);
        self.dropped_notes.store(meters.dropped_notes, Relaxed);
        self.last_callback_us.store(self.epoch.elapsed().as_micros() as u64, Relaxed);
        self.started.store(true, Relaxed);
    }

    /// Marks the next stream as open, and sets its sample rate.
    pub(super) fn opened(&self, sample_rate_hz: u32) {
        self.sample_rate_hz.store(sample_rate_hz, Relaxed);
        self.stream.fetch_add(1, Relaxed);
        self.started.store(false, Relaxed);
        self.fading.store(false, Relaxed);
    }

    /// Marks the stream as closed.
    pub(super) fn closed(&self) {
        self.started.store(false, Relaxed);
    }

    /// Number of frames rendered so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }

    /// Sample rate of the stream, hertz.
    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz.load(Relaxed)
    }

    /// Time since the last callback; `None` before the first callback of this stream.
    pub(super) fn time_since_callback(&self) -> Option<Duration> {
        let last = Duration::from_micros(self.last_callback_us.load(Relaxed));
        self.started.load(Relaxed).then(|| self.epoch.elapsed().saturating_sub(last))
    }

    /// Number of the current stream. `None` while its callback does not run.
    pub(super) fn running_stream(&self) -> Option<u32> {
        let running =
            self.time_since_callback().is_some_and(|time_since_callback| time_since_callback < STALE_AFTER);
        running.then(|| self.stream.load(Relaxed))
    }

    /// Counts a note that was dropped because the command queue was full.
    pub(super) fn count_lost_note(&self) {
        self.lost_notes.fetch_add(1, Relaxed);
    }

    /// Makes the callback fade out and stay silent until the next stream.
    pub(super) fn fade(&self) {
        self.fading.store(true, Relaxed);
    }

    /// Whether the callback must fade out the sound.
    pub(super) fn is_fading(&self) -> bool {
        self.fading.load(Relaxed)
    }

    /// The latest measurements. While no device runs, only the voice limit and the number of
    /// dropped notes are set.
    pub(super) fn meters(&self) -> AudioMeters {
        let lasting = AudioMeters {
            voice_limit: self.voice_limit.load(Relaxed),
            dropped_notes: self.dropped_notes.load(Relaxed) + self.lost_notes.load(Relaxed),
            ..AudioMeters::default()
        };
        if self.running_stream().is_none() {
            return lasting;
        }
        AudioMeters {
            callback_load: f32::from_bits(self.load_bits.load(Relaxed)),
            latency_s: Some(f32::from_bits(self.latency_bits.load(Relaxed))),
            peak: f32::from_bits(self.peak_bits.load(Relaxed)),
            voices: self.voices.load(Relaxed),
            ..lasting
        }
    }
}
