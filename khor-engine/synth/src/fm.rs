//! Computes two-operator frequency modulation for eight voices. It is implemented as phase
//! modulation (Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation",
//! 1973).

use std::f32::consts::TAU;

use khor_music::Patch;

use super::{
    lanes::{LANES, Lanes, ROUNDER},
    phase::{PERIOD, advance, cosine},
};

/// Highest frequency that significant sidebands may have, as a share of the sample rate.
const MAX_SIDEBAND: f32 = 0.45;

/// The modulators. Each voice has two oscillators, and each oscillator has a modulator.
#[derive(Clone, Debug)]
pub(super) struct Modulators {
    /// Phases of the modulators, in units of 2^-32 of a period.
    phase: [[u32; LANES]; 2],
    /// Modulator frequency as a multiple of the carrier frequency, 0.25..=12.
    ratio: Lanes,
    /// Phase modulation of the carrier when the envelope is 1, periods.
    swing: Lanes,
    /// Phase modulation at the end of the last block, periods.
    now: Lanes,
}

impl Modulators {
    pub(super) const fn new() -> Self {
        Self { phase: [[0; LANES]; 2], ratio: [1.0; LANES], swing: [0.0; LANES], now: [0.0; LANES] }
    }

    /// Starts a note. `phases` are the phases of its carriers, in units of 2^-32 of a period.
    /// `increment` is their advance per frame, in periods. Real-time safe.
    pub(super) fn start(&mut self, lane: usize, patch: &Patch, increment: f32, phases: [u32; 2]) {
        self.ratio[lane] = patch.fm_ratio;
        self.swing[lane] = patch.fm_index.min(highest_index(increment, patch.fm_ratio)) / TAU;
        self.now[lane] = 0.0;
        for (phase, carrier) in self.phase.iter_mut().zip(phases) {
            // At phase 0, the modulator is in phase with the carrier. So with an integer ratio, no
            // sideband is a constant offset.
            let turns = f64::from(carrier) / f64::from(PERIOD) * f64::from(patch.fm_ratio);
            phase[lane] = (turns.fract() * f64::from(PERIOD)) as u32;
        }
    }

    /// Returns the modulation at the start of the block, and its slope per frame. At the end of the
    /// block, the modulation has reached the value that `envelope` demands.
    #[inline(always)]
    pub(super) fn ramp(&mut self, envelope: &Lanes, frames: usize) -> (Lanes, Lanes) {
        let share = 1.0 / frames.max(1) as f32;
        let first = self.now;
        self.now = std::array::from_fn(|l| self.swing[l] * envelope[l]);
        (first, std::array::from_fn(|l| (self.now[l] - first[l]) * share))
    }

    /// Adds the frames of one carrier to `out`. `phases` are the phases of the carrier without
    /// modulation. Real-time safe.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        which: usize,
        (increment, level): (&Lanes, &Lanes),
        (mut swing, slope): (Lanes, Lanes),
        phases: &[Lanes],
        out: &mut [Lanes],
    ) {
        let step = std::array::from_fn(|l| (increment[l] * self.ratio[l] * PERIOD) as u32);
        for (phase, frame) in phases.iter().zip(out) {
            let mut modulator = [[0.0; LANES]];
            advance(&mut self.phase[which], &step, &mut modulator);
            for l in 0..LANES {
                swing[l] += slope[l];
                // A sine is a quarter period behind a cosine, so 0.25 is subtracted from the
                // carrier's phase.
                let turned = phase[l] - 0.25 + swing[l] * sine(modulator[0][l]);
                frame[l] += level[l] * cosine(turned - ((turned + ROUNDER) - ROUNDER));
            }
        }
    }
}

/// sin(2 pi p) for p in 0..1.
#[inline]
fn sine(p: f32) -> f32 {
    let behind = p - 0.25;
    cosine(behind - if behind >= 0.5 { 1.0 } else { 0.0 })
}

/// The largest modulation index, in radians, at which the sidebands stay below [`MAX_SIDEBAND`]. By
/// Carson's rule, 98 % of the power is within (index + 1) modulator frequencies of the carrier
/// (Carson, "Notes on the Theory of Modulation", 1922).
fn highest_index(increment: f32, ratio: f32) -> f32 {
    let modulator = increment * ratio;
    ((MAX_SIDEBAND - increment) / modulator.max(1e-6) - 1.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use khor_music::Wave;

    use super::{
        super::{
            lanes::BLOCK,
            oscillator::{
                Oscillators,
                tests::{power, power_db},
            },
        },
        *,
    };

    const RATE_HZ: f32 = 48_000.0;

    fn render(freq_hz: f32, ratio: f32, index: f32, envelope: f32) -> Vec<f32> {
        let patch = Patch { wave: Wave::Fm, fm_ratio: ratio, fm_index: index, ..Patch::default() };
        let mut osc = Oscillators::new(RATE_HZ);
        osc.start(3, &patch, freq_hz / RATE_HZ, 0.3);
        let mut block = [[0.0; LANES]; BLOCK];
        let mut out = Vec::new();
        while out.len() < 48_000 {
            osc.render(BLOCK, &[envelope; LANES], &mut block);
            out.extend(block.iter().map(|frame| frame[3]));
        }
        out
    }

    #[test]
    fn sidebands_follow_the_bessel_functions() {
        // The expected amplitudes of carrier and sidebands are the Bessel functions J0, J1 and J2
        // at the modulation index, which is 1.
        let samples = render(3000.0, 0.25, 1.0, 1.0);
        for (freq_hz, weight) in [(3000.0, 0.7652), (3750.0, 0.4401), (2250.0, 0.4401), (4500.0, 0.1149)] {
            // The factor 4 compensates for two halvings: a Hann window halves the amplitude of a
            // sine, and the other half of the sine is at the negative frequency.
            let amplitude = 4.0 * power(&samples, freq_hz).sqrt() / samples.len() as f64;
            assert!((amplitude - weight).abs() < 0.01, "{freq_hz} Hz: {amplitude}");
        }
    }

    #[test]
    fn the_modulation_index_follows_the_envelope() {
        let share = |envelope| {
            let samples = render(1000.0, 2.0, 4.0, envelope);
            let at = [1000.0, 3000.0, 5000.0, 7000.0, 9000.0].map(|hz| power(&samples, hz));
            at[0] / at.iter().sum::<f64>()
        };
        assert!(share(0.01) > 0.99 && share(1.0) < 0.5, "{} {}", share(0.01), share(1.0));
    }

    #[test]
    fn fm_aliases_stay_below_the_fundamental() {
        for midi in [60, 72, 84, 96] {
            for ratio in [0.25, 1.0, 1.414, 3.5, 7.0, 12.0] {
                let freq_hz = 440.0 * ((midi as f32 - 69.0) / 12.0).exp2();
                let samples = render(freq_hz, ratio, 8.0, 1.0);
                let whole = samples.iter().map(|&x| f64::from(x * x)).sum::<f64>();
                for side in -40..=40_i32 {
                    let true_hz = (freq_hz + side as f32 * ratio * freq_hz).abs();
                    let folded = true_hz % RATE_HZ;
                    let alias_hz = folded.min(RATE_HZ - folded);
                    if true_hz > RATE_HZ / 2.0 && alias_hz < 6000.0 {
                        let db = power_db(&samples, alias_hz, whole);
                        assert!(
                            db < -60.0,
                            "{midi} {ratio}: sideband {side} at {alias_hz:.0} Hz: {db:.1} dB"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn no_sideband_becomes_dc() {
        for ratio in [0.5, 1.0] {
            let samples = render(500.0, ratio, 2.0, 1.0);
            let mean = samples[4800..].iter().sum::<f32>() / (samples.len() - 4800) as f32;
            assert!(mean.abs() < 2e-3, "{ratio}: {mean}");
        }
    }
}
