//! Limits the number of voices while the processor is too slow, so that the sound has no gaps.

use khor_synth::Synth;

/// A callback is overloaded if it takes more than this share of its block's length.
const OVERLOAD: f32 = 0.85;
/// Number of consecutive overloaded callbacks after which the limit is lowered. A single callback
/// may be late only because another thread interrupted it.
const OVERLOADS_IN_A_ROW: u32 = 3;
/// The load is low if a callback takes less than this share of its block's length. There is then
/// room for more voices.
const LOW_LOAD: f32 = 0.5;
/// How long the load must be low before the limit rises, seconds.
const LOW_LOAD_S: f32 = 2.0;
/// The limit never falls below this number of voices, which is enough for a chord, a bass and a
/// voice.
const MIN_VOICES: u32 = 6;
/// Number of voices by which the limit rises at a time.
const RESTORED_VOICES: u32 = 3;

/// The maximum number of voices that may sound. It adapts to the load of the callbacks.
#[derive(Clone, Copy, Debug)]
pub(super) struct VoiceLimit {
    limit: u32,
    overloads: u32,
    low_load_s: f32,
}

impl VoiceLimit {
    pub(super) const fn new() -> Self {
        Self { limit: Synth::VOICES, overloads: 0, low_load_s: 0.0 }
    }

    /// Updates the limit after a callback. `length_s` is the length of the callback's block in
    /// seconds. `load` is the share of this time that the callback took. Returns the limit if it
    /// has changed. Suitable for the audio thread, because it allocates nothing.
    pub(super) fn observe(&mut self, load: f32, length_s: f32) -> Option<u32> {
        self.overloads = if load > OVERLOAD { self.overloads + 1 } else { 0 };
        self.low_load_s = if load < LOW_LOAD { self.low_load_s + length_s } else { 0.0 };
        let limit = if self.overloads >= OVERLOADS_IN_A_ROW {
            self.overloads = 0;
            (self.limit * 3 / 4).max(MIN_VOICES)
        } else if self.low_load_s >= LOW_LOAD_S {
            self.low_load_s = 0.0;
            (self.limit + RESTORED_VOICES).min(Synth::VOICES)
        } else {
            self.limit
        };
        (std::mem::replace(&mut self.limit, limit) != limit).then_some(limit)
    }

    /// The maximum number of voices that may sound, 6..=24.
    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_overload_lowers_the_voice_limit() {
        let mut voice_limit = VoiceLimit::new();
        for _ in 0..50 {
            assert_eq!([3.0, 0.9, 0.1].map(|load| voice_limit.observe(load, 0.02)), [None; 3]);
        }
        let limits: Vec<u32> = (0..60).filter_map(|_| voice_limit.observe(0.9, 0.02)).collect();
        assert_eq!(limits, [18, 13, 9, 6]);
    }

    #[test]
    fn low_load_restores_the_voice_limit() {
        let mut voice_limit = VoiceLimit::new();
        let mut changes = |load: f32, callbacks: u32| -> Vec<(u32, u32)> {
            (0..callbacks).filter_map(|at| Some((at, voice_limit.observe(load, 0.02)?))).collect()
        };
        assert_eq!(changes(1.2, 3), [(2, 18)]);
        assert_eq!(changes(0.7, 1000), []);
        let back = changes(0.2, 1000);
        assert_eq!(back.iter().map(|change| change.1).collect::<Vec<_>>(), [21, 24]);
        assert!((95..=100).contains(&back[0].0), "{back:?}");
    }
}
