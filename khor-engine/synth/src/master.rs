//! Provides gliding gains, the DC block and the mute, which are at the end of the signal path.

use super::lanes::{BLOCK, flush, sanitize};

/// Cutoff of the DC block, Hz.
const DC_HZ: f32 = 12.0;
/// Time constant with which gains change, seconds.
const GAIN_TAU_S: f32 = 0.02;
/// Length of the fade when muting and unmuting, seconds.
const MUTE_S: f32 = 0.02;

/// A gain that glides to its target. It has one value per frame.
#[derive(Clone, Debug)]
pub(super) struct Glide {
    now: f32,
    target: f32,
    rate: f32,
}

impl Glide {
    pub(super) fn new(value: f32, sample_rate_hz: f32) -> Self {
        Self { now: value, target: value, rate: 1.0 - (-1.0 / (GAIN_TAU_S * sample_rate_hz)).exp() }
    }

    /// Sets the target of the glide. NaN is ignored. Real-time safe.
    pub(super) fn set(&mut self, target: f32) {
        if target.is_finite() {
            self.target = target;
        }
    }

    /// Advances the glide by one block. Returns the gain of each frame. Real-time safe.
    #[inline(always)]
    pub(super) fn block(&mut self) -> [f32; BLOCK] {
        let mut out = [self.target; BLOCK];
        if (self.now - self.target).abs() > 1e-6 {
            for gain in &mut out {
                self.now += self.rate * (self.target - self.now);
                *gain = self.now;
            }
        } else {
            self.now = self.target;
        }
        out
    }
}

/// A first-order high-pass that removes DC offsets (J. O. Smith, "Introduction to Digital Filters",
/// DC blocker).
#[derive(Clone, Debug)]
pub(super) struct DcBlock {
    /// Last input (`last_in`) and last output (`last_out`) of the left and the right channel.
    last_in: [f32; 2],
    last_out: [f32; 2],
    pole: f32,
}

impl DcBlock {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        Self {
            last_in: [0.0; 2],
            last_out: [0.0; 2],
            pole: 1.0 - std::f32::consts::TAU * DC_HZ / sample_rate_hz,
        }
    }

    /// Filters a block in place. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        for (l, r) in left.iter_mut().zip(right) {
            // Both channels are processed in one loop, so that their dependency chains run in
            // parallel.
            for (side, x) in [l, r].into_iter().enumerate() {
                let input = sanitize(*x);
                self.last_out[side] = input - self.last_in[side] + self.pole * self.last_out[side];
                self.last_in[side] = input;
                *x = self.last_out[side];
            }
        }
        self.last_out = self.last_out.map(flush);
    }
}

/// A linear fade between sound and silence.
#[derive(Clone, Debug)]
pub(super) struct Mute {
    muted: bool,
    gain: f32,
    slope: f32,
}

impl Mute {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        Self { muted: false, gain: 1.0, slope: 1.0 / (MUTE_S * sample_rate_hz) }
    }

    pub(super) fn set(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Fades a block in place. After the fade-out, all samples are exactly 0. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        if !self.muted && self.gain >= 1.0 {
            return;
        }
        let slope = if self.muted { -self.slope } else { self.slope };
        for (l, r) in left.iter_mut().zip(right) {
            self.gain = (self.gain + slope).clamp(0.0, 1.0);
            *l *= self.gain;
            *r *= self.gain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dc_block_removes_only_offsets() {
        let mut dc = DcBlock::new(48_000.0);
        let mut peak = 0.0_f32;
        let mut mean = 0.0;
        for block in 0..3000 {
            let mut x = std::array::from_fn(|i| {
                let t = (block * BLOCK + i) as f32 / 48_000.0;
                0.3 + 0.5 * (std::f32::consts::TAU * 100.0 * t).sin()
            });
            dc.render(&mut x, &mut [0.0; BLOCK]);
            if block >= 1500 {
                peak = x.iter().fold(peak, |p, v| p.max(v.abs()));
                mean += x.iter().sum::<f32>() / 48_000.0;
            }
        }
        assert!(mean.abs() < 1e-3 && (peak - 0.5).abs() < 0.01, "{mean} {peak}");
    }

    #[test]
    fn the_mute_fades_to_exact_zeros() {
        let mut mute = Mute::new(48_000.0);
        mute.set(true);
        let mut all = Vec::new();
        for _ in 0..40 {
            let (mut l, mut r) = ([1.0; BLOCK], [1.0; BLOCK]);
            mute.render(&mut l, &mut r);
            all.extend(l);
        }
        assert!(all.windows(2).all(|w| (w[0] - w[1]).abs() < 0.0011));
        assert!(all[962..].iter().all(|&x| x == 0.0));
    }
}
