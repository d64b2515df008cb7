//! Exponential ADSR envelopes for eight voices, and the short fade that ends stolen ones.

use khor_music::Patch;

use super::lanes::{LANES, LaneBlock, Lanes, positive};

/// The attack aims past 1 so that it arrives in finite time: after `ln(5)` time constants.
const ATTACK_AIM: f32 = 1.25;
const ATTACK_TAUS: f32 = 1.609_438;
/// Time constants to fall by 60 dB: `ln(1000)`.
const FALL_TAUS: f32 = 6.907_755;
/// A released voice below this (-80 dB) has ended.
const END: f32 = 1e-4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Off,
    Attack,
    /// Decay and sustain: the decay's target is the sustain level.
    Hold,
    Release,
}

/// What a lane's later stages need, per frame.
#[derive(Clone, Copy, Debug)]
struct Plan {
    decay: f32,
    sustain: f32,
    release: f32,
}

/// Eight envelopes.
#[derive(Clone, Debug)]
pub(super) struct Envelopes {
    /// Present level, 0..=1.
    level: Lanes,
    /// Where the level is heading, 0..=1.25.
    target: Lanes,
    /// Share of the way gone per frame, 0..=1.
    rate: Lanes,
    stage: [Stage; LANES],
    plan: [Plan; LANES],
    sample_rate_hz: f32,
}

impl Envelopes {
    pub(super) const fn new(sample_rate_hz: f32) -> Self {
        Self {
            level: [0.0; LANES],
            target: [0.0; LANES],
            rate: [0.0; LANES],
            stage: [Stage::Off; LANES],
            plan: [Plan { decay: 0.0, sustain: 0.0, release: 0.0 }; LANES],
            sample_rate_hz,
        }
    }

    /// Begins from silence. Audio thread; no allocation.
    pub(super) fn start(&mut self, lane: usize, patch: &Patch) {
        let rate =
            |time_ms: f32, taus: f32| 1.0 - (-taus * 1000.0 / (time_ms.max(0.5) * self.sample_rate_hz)).exp();
        self.plan[lane] = Plan {
            decay: rate(patch.decay_ms, FALL_TAUS),
            sustain: patch.sustain,
            release: rate(patch.release_ms, FALL_TAUS),
        };
        self.rate[lane] = rate(patch.attack_ms, ATTACK_TAUS);
        self.level[lane] = 0.0;
        self.target[lane] = ATTACK_AIM;
        self.stage[lane] = Stage::Attack;
    }

    /// Lets go. Audio thread; no allocation.
    pub(super) fn release(&mut self, lane: usize) {
        if self.stage[lane] != Stage::Off {
            self.stage[lane] = Stage::Release;
            self.target[lane] = 0.0;
            self.rate[lane] = self.plan[lane].release;
        }
    }

    /// Ends at once; the caller has faded the voice. Audio thread; no allocation.
    pub(super) fn stop(&mut self, lane: usize) {
        self.stage[lane] = Stage::Off;
        self.level[lane] = 0.0;
        self.target[lane] = 0.0;
        self.rate[lane] = 0.0;
    }

    pub(super) const fn level(&self) -> &Lanes {
        &self.level
    }

    pub(super) fn released(&self, lane: usize) -> bool {
        self.stage[lane] == Stage::Release
    }

    /// Whether the lane has come to its end: a finished release, or a decay to nothing.
    /// Audio thread; no allocation.
    pub(super) fn ended(&self, lane: usize) -> bool {
        let low = self.level[lane] < END;
        match self.stage[lane] {
            Stage::Off | Stage::Attack => false,
            Stage::Hold => low && self.target[lane] < END,
            Stage::Release => low,
        }
    }

    /// Moves on finished attacks; once per block, so a decay begins at most a block (0.7 ms) late.
    /// Audio thread; no allocation.
    pub(super) fn update(&mut self) {
        for lane in 0..LANES {
            if self.stage[lane] == Stage::Attack && self.level[lane] >= 1.0 {
                self.stage[lane] = Stage::Hold;
                self.target[lane] = self.plan[lane].sustain;
                self.rate[lane] = self.plan[lane].decay;
            }
        }
    }

    /// Multiplies a block. Audio thread; no allocation.
    #[inline(always)]
    pub(super) fn apply(&mut self, frames: usize, block: &mut LaneBlock) {
        let target = self.target;
        let keep = self.rate.map(|rate| 1.0 - rate);
        // Only the distance to the target is carried from frame to frame: one multiplication long.
        let mut distance: Lanes = std::array::from_fn(|l| self.level[l] - target[l]);
        let mut level = self.level;
        for frame in &mut block[..frames] {
            for l in 0..LANES {
                distance[l] *= keep[l];
                let next = target[l] + distance[l];
                level[l] = if next < 1.0 { next } else { 1.0 };
                frame[l] *= level[l];
            }
        }
        self.level = level;
    }
}

/// Linear fades to silence for eight voices.
#[derive(Clone, Debug)]
pub(super) struct Fades {
    /// Present gain, 0..=1.
    gain: Lanes,
    /// Change per frame, <= 0; 0 is no fade.
    slope: Lanes,
}

impl Fades {
    pub(super) const fn new() -> Self {
        Self { gain: [1.0; LANES], slope: [0.0; LANES] }
    }

    /// Full gain, no fade. Audio thread; no allocation.
    pub(super) fn reset(&mut self, lane: usize) {
        self.gain[lane] = 1.0;
        self.slope[lane] = 0.0;
    }

    /// Fades from full gain to nothing within `frames`; a fade that is quicker already goes on.
    /// Audio thread; no allocation.
    pub(super) fn begin(&mut self, lane: usize, frames: f32) {
        self.slope[lane] = self.slope[lane].min(-1.0 / frames.max(1.0));
    }

    /// Multiplies a block; nothing to do while no lane fades. Audio thread; no allocation.
    #[inline(always)]
    pub(super) fn apply(&mut self, frames: usize, block: &mut LaneBlock) {
        if self.slope == [0.0; LANES] {
            return;
        }
        let (mut gain, slope) = (self.gain, self.slope);
        for frame in &mut block[..frames] {
            for l in 0..LANES {
                gain[l] = positive(gain[l] + slope[l]);
                frame[l] *= gain[l];
            }
        }
        self.gain = gain;
    }

    pub(super) fn fading(&self, lane: usize) -> bool {
        self.slope[lane] < 0.0
    }

    pub(super) fn ended(&self, lane: usize) -> bool {
        self.gain[lane] <= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::BLOCK;
    use super::*;

    const RATE_HZ: f32 = 48_000.0;

    fn levels(patch: &Patch, hold_ms: f32, total_ms: f32) -> Vec<f32> {
        let mut envelopes = Envelopes::new(RATE_HZ);
        envelopes.start(0, patch);
        let mut out = Vec::new();
        while (out.len() as f32) < total_ms * RATE_HZ / 1000.0 {
            if out.len() as f32 >= hold_ms * RATE_HZ / 1000.0 && !envelopes.released(0) {
                envelopes.release(0);
            }
            envelopes.update();
            let mut block = [[1.0; LANES]; BLOCK];
            envelopes.apply(BLOCK, &mut block);
            out.extend(block.iter().map(|frame| frame[0]));
        }
        out
    }

    fn first_ms(levels: &[f32], from_ms: f32, test: impl Fn(f32) -> bool) -> f32 {
        let from = (from_ms * RATE_HZ / 1000.0) as usize;
        let at = levels[from..].iter().position(|&l| test(l)).expect("the level is reached");
        at as f32 * 1000.0 / RATE_HZ
    }

    #[test]
    fn envelope_stages_take_their_set_times() {
        let patch =
            Patch { attack_ms: 50.0, decay_ms: 300.0, sustain: 0.5, release_ms: 400.0, ..Patch::default() };
        let levels = levels(&patch, 1000.0, 2000.0);
        assert!((first_ms(&levels, 0.0, |l| l >= 0.999) - 50.0).abs() < 1.5);
        assert!((first_ms(&levels, 51.0, |l| l <= 0.501) - 270.0).abs() < 35.0);
        assert!((first_ms(&levels, 1000.0, |l| l <= 0.0005) - 400.0).abs() < 4.0);
    }

    #[test]
    fn envelope_steps_stay_below_the_fastest_attack() {
        let patch = Patch { attack_ms: 2.0, decay_ms: 50.0, release_ms: 10.0, ..Patch::default() };
        let levels = levels(&patch, 20.0, 100.0);
        assert!(levels.windows(2).all(|w| (w[1] - w[0]).abs() < 0.03));
    }
}
