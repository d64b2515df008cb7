//! When the processor is too slow for the music, fewer voices sound: better thinner than torn.

use khor_synth::Synth;

/// Above this share of the time it has, a callback is near to tearing.
const TOO_MUCH: f32 = 0.85;
/// One callback that was interrupted says nothing about the voices; so many in a row do.
const IN_A_ROW: u32 = 3;
/// Below this there is room for more voices.
const EASY: f32 = 0.5;
/// It must have been easy for so long before voices come back, seconds.
const CALM_S: f32 = 2.0;
/// Voices that are left whatever happens: a chord, a bass and a voice.
const LEAST: u32 = 6;
/// Voices that come back at a time.
const BACK: u32 = 3;

/// Decides how many voices may sound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shed {
    limit: u32,
    too_much: u32,
    calm_s: f32,
}

impl Shed {
    pub(super) const fn new() -> Self {
        Self { limit: Synth::VOICES, too_much: 0, calm_s: 0.0 }
    }

    /// Takes the share of its time that a callback of `length_s` seconds took; says the new limit when it changes.
    /// Audio thread; no allocation.
    pub(super) fn observe(&mut self, load: f32, length_s: f32) -> Option<u32> {
        self.too_much = if load > TOO_MUCH { self.too_much + 1 } else { 0 };
        self.calm_s = if load < EASY { self.calm_s + length_s } else { 0.0 };
        let limit = if self.too_much >= IN_A_ROW {
            self.too_much = 0;
            (self.limit * 3 / 4).max(LEAST)
        } else if self.calm_s >= CALM_S {
            self.calm_s = 0.0;
            (self.limit + BACK).min(Synth::VOICES)
        } else {
            self.limit
        };
        (std::mem::replace(&mut self.limit, limit) != limit).then_some(limit)
    }

    /// Voices that may sound, 6..=24.
    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_overload_lowers_the_voice_limit() {
        let mut shed = Shed::new();
        for _ in 0..50 {
            assert_eq!([3.0, 0.9, 0.1].map(|load| shed.observe(load, 0.02)), [None; 3]);
        }
        let limits: Vec<u32> = (0..60).filter_map(|_| shed.observe(0.9, 0.02)).collect();
        assert_eq!(limits, [18, 13, 9, 6]);
    }

    #[test]
    fn low_load_restores_the_voice_limit() {
        let mut shed = Shed::new();
        let mut changes = |load: f32, callbacks: u32| -> Vec<(u32, u32)> {
            (0..callbacks).filter_map(|at| Some((at, shed.observe(load, 0.02)?))).collect()
        };
        assert_eq!(changes(1.2, 3), [(2, 18)]);
        assert_eq!(changes(0.7, 1000), []);
        let back = changes(0.2, 1000);
        assert_eq!(back.iter().map(|change| change.1).collect::<Vec<_>>(), [21, 24]);
        assert!((95..=100).contains(&back[0].0), "{back:?}");
    }
}
