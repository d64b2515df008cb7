//! Computes exponential ADSR envelopes for eight voices, and linear fade-outs for stolen voices.

use khor_music::Patch;

use super::lanes::{LANES, LaneBlock, Lanes, positive};

/// Target level of the attack. It is above 1, so that the attack reaches 1 after a finite time of
/// `ln(5)` time constants.
const ATTACK_AIM: f32 = 1.25;
const ATTACK_TAUS: f32 = 1.609_438;
/// Number of time constants in which a level decays by 60 dB: `ln(1000)`.
const FALL_TAUS: f32 = 6.907_755;
/// A released voice ends when its level falls below this value, which is -80 dB.
const END_LEVEL: f32 = 1e-4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Off,
    Attack,
    /// Decay and sustain. The level decays towards the sustain level.
    Hold,
    Release,
}

/// Parameters of the stages after the attack: decay rate and release rate per frame, and the
/// sustain level.
#[derive(Clone, Copy, Debug)]
struct StageRates {
    decay: f32,
    sustain: f32,
    release: f32,
}

/// The envelopes of eight voices.
#[derive(Clone, Debug)]
pub(super) struct Envelopes {
    /// Current level of each envelope, 0..=1.
    level: Lanes,
    /// Level that each envelope approaches, 0..=1.25.
    target: Lanes,
    /// Share of the distance to the target that is covered in one frame, 0..=1.
    rate: Lanes,
    stage: [Stage; LANES],
    stage_rates: [StageRates; LANES],
    sample_rate_hz: f32,
}

impl Envelopes {
    pub(super) const fn new(sample_rate_hz: f32) -> Self {
        Self {
            level: [0.0; LANES],
            target: [0.0; LANES],
            rate: [0.0; LANES],
            stage: [Stage::Off; LANES],
            stage_rates: [StageRates { decay: 0.0, sustain: 0.0, release: 0.0 }; LANES],
            sample_rate_hz,
        }
    }

    /// Starts the attack of one voice from silence. Real-time safe.
    pub(super) fn start(&mut self, lane: usize, patch: &Patch) {
        let rate =
            |time_ms: f32, taus: f32| 1.0 - (-taus * 1000.0 / (time_ms.max(0.5) * self.sample_rate_hz)).exp();
        self.stage_rates[lane] = StageRates {
            decay: rate(patch.decay_ms, FALL_TAUS),
            sustain: patch.sustain,
            release: rate(patch.release_ms, FALL_TAUS),
        };
        self.rate[lane] = rate(patch.attack_ms, ATTACK_TAUS);
        self.level[lane] = 0.0;
        self.target[lane] = ATTACK_AIM;
        self.stage[lane] = Stage::Attack;
    }

    /// Starts the release of one voice. Real-time safe.
    pub(super) fn release(&mut self, lane: usize) {
        if self.stage[lane] != Stage::Off {
            self.stage[lane] = Stage::Release;
            self.target[lane] = 0.0;
            self.rate[lane] = self.stage_rates[lane].release;
        }
    }

    /// Ends an envelope immediately. The caller must have faded out the voice. Real-time safe.
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

    /// Whether the envelope has ended, after its release or after a decay to 0. Real-time safe.
    pub(super) fn ended(&self, lane: usize) -> bool {
        let low = self.level[lane] < END_LEVEL;
        match self.stage[lane] {
            Stage::Off | Stage::Attack => false,
            Stage::Hold => low && self.target[lane] < END_LEVEL,
            Stage::Release => low,
        }
    }

    /// Starts the decay of each voice whose attack is complete. The synth calls this function once
    /// per block, so a decay begins at most one block (0.7 ms) late. Real-time safe.
    pub(super) fn update(&mut self) {
        for lane in 0..LANES {
            if self.stage[lane] == Stage::Attack && self.level[lane] >= 1.0 {
                self.stage[lane] = Stage::Hold;
                self.target[lane] = self.stage_rates[lane].sustain;
                self.rate[lane] = self.stage_rates[lane].decay;
            }
        }
    }

    /// Multiplies the frames of a block by the envelopes. Real-time safe.
    #[inline(always)]
    pub(super) fn apply(&mut self, frames: usize, block: &mut LaneBlock) {
        let target = self.target;
        let keep = self.rate.map(|rate| 1.0 - rate);
        // Only the distance to the target is carried from frame to frame. So the dependency chain
        // is only one multiplication per frame.
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

/// Linear fade-outs for eight voices.
#[derive(Clone, Debug)]
pub(super) struct Fades {
    /// Current gain of each voice, 0..=1.
    gain: Lanes,
    /// Change of the gain per frame, at most 0. The value 0 means that there is no fade-out.
    slope: Lanes,
}

impl Fades {
    pub(super) const fn new() -> Self {
        Self { gain: [1.0; LANES], slope: [0.0; LANES] }
    }

    /// Resets the gain of one voice to 1, without a fade-out. Real-time safe.
    pub(super) fn reset(&mut self, lane: usize) {
        self.gain[lane] = 1.0;
        self.slope[lane] = 0.0;
    }

    /// Starts a fade-out from full gain to silence, which takes `frames` frames. A faster fade-out
    /// that has already begun continues. Real-time safe.
    pub(super) fn begin(&mut self, lane: usize, frames: f32) {
        self.slope[lane] = self.slope[lane].min(-1.0 / frames.max(1.0));
    }

    /// Multiplies the frames of a block by the fade-outs. Real-time safe.
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
    use super::{super::lanes::BLOCK, *};

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
