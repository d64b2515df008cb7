//! The state that the callback shares with other threads, without locks.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use khor_synth::Synth;

/// A stream whose callback is silent for this long does not run.
const STALE_AFTER: Duration = Duration::from_millis(500);

/// The values that the callback publishes. All stores are relaxed, because the values are
/// independent.
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

/// Measurements of the callback.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioMeters {
    /// Time that the callback took, as a share of the time that it may take.
    pub callback_load: f32,
    /// Time from a note's onset in the synth to its sound, as the backend reports it, seconds;
    /// `None` without a running device.
    pub latency_s: Option<f32>,
    /// Highest recent sample, 0..=1.
    pub peak: f32,
    /// Sounding voices.
    pub voices: u32,
    /// Limit of sounding voices. It is lower than all voices while the processor is too slow for
    /// them.
    pub voice_limit: u32,
    /// Notes that the synth had no room for.
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

    /// Callback side: after each block. Real-time safe.
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

    /// A stream was opened at this rate, or is being opened again.
    pub(super) fn opened(&self, sample_rate_hz: u32) {
        self.sample_rate_hz.store(sample_rate_hz, Relaxed);
        self.stream.fetch_add(1, Relaxed);
        self.started.store(false, Relaxed);
        self.fading.store(false, Relaxed);
    }

    /// The stream was closed.
    pub(super) fn closed(&self) {
        self.started.store(false, Relaxed);
    }

    /// Frames rendered so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }

    /// Rate of the stream.
    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz.load(Relaxed)
    }

    /// Time since the last callback; `None` before the first of this stream.
    pub(super) fn time_since_callback(&self) -> Option<Duration> {
        let last = Duration::from_micros(self.last_callback_us.load(Relaxed));
        self.started.load(Relaxed).then(|| self.epoch.elapsed().saturating_sub(last))
    }

    /// Number of the stream whose device takes samples.
    pub(super) fn running_stream(&self) -> Option<u32> {
        let running =
            self.time_since_callback().is_some_and(|time_since_callback| time_since_callback < STALE_AFTER);
        running.then(|| self.stream.load(Relaxed))
    }

    /// Counts a note that found the queue full.
    pub(super) fn count_lost_note(&self) {
        self.lost_notes.fetch_add(1, Relaxed);
    }

    /// Tells the callback to fade out, and to be silent until the next stream.
    pub(super) fn fade(&self) {
        self.fading.store(true, Relaxed);
    }

    /// Whether the callback must fade out.
    pub(super) fn is_fading(&self) -> bool {
        self.fading.load(Relaxed)
    }

    /// The latest measurements. Without a running device nothing sounds.
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
