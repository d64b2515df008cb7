//! Computes band-limited oscillators for eight voices. `PolyBLEP` and `PolyBLAMP` round the edges
//! and corners of the waveforms (Välimäki & Huovilainen 2007; Esqueda, Välimäki & Bilbao 2016).
//! This module also calls `noise`, `fm` and `vibrato`.

use khor_music::{Patch, Wave};

use super::{
    fm::Modulators,
    lanes::{BLOCK, LANES, LaneBlock, Lanes, positive},
    noise::Noise,
    phase::{PERIOD, advance, cosine},
    vibrato::Vibratos,
};

const WAVES: [Wave; 6] = [Wave::Sine, Wave::Triangle, Wave::Saw, Wave::Pulse, Wave::Noise, Wave::Fm];

/// Highest phase increment per frame, in periods.
const MAX_INCREMENT: f32 = 0.25;

/// Two oscillators for each voice. If a voice has no detuning, its second oscillator is silent.
#[derive(Clone, Debug)]
pub(super) struct Oscillators {
    /// Phases of the oscillators, in units of 2^-32 of a period. They wrap around when they
    /// overflow.
    phase: [[u32; LANES]; 2],
    /// Phase increments of the oscillators per frame, in units of 2^-32 of a period.
    step: [[u32; LANES]; 2],
    /// Phase increments of the oscillators per frame, in periods, 0..=0.25.
    increment: [Lanes; 2],
    /// Level of each oscillator, 0..=1. An oscillator with level 0 is not computed.
    level: [Lanes; 2],
    /// Pulse width, as a share of the period, 0.05..=0.5.
    width: Lanes,
    wave: [Wave; LANES],
    noise: Noise,
    modulators: Modulators,
    vibratos: Vibratos,
    /// Phases of the frames in the current block, 0..1. The buffer is a field, so that it need not
    /// be cleared for each block.
    phases: LaneBlock,
}

impl Oscillators {
    pub(super) const fn new(sample_rate_hz: f32) -> Self {
        Self {
            phase: [[0; LANES]; 2],
            step: [[0; LANES]; 2],
            increment: [[0.0; LANES]; 2],
            level: [[0.0; LANES]; 2],
            width: [0.5; LANES],
            wave: [Wave::Sine; LANES],
            noise: Noise::new(),
            modulators: Modulators::new(),
            vibratos: Vibratos::new(sample_rate_hz),
            phases: [[0.0; LANES]; BLOCK],
        }
    }

    /// Starts a note. `phase`, 0..1, is the initial phase, and it also seeds noise and vibrato.
    /// Notes get different values, so that notes of equal pitch are not in phase. Real-time safe.
    pub(super) fn start(&mut self, lane: usize, patch: &Patch, increment: f32, phase: f32) {
        let detune = (patch.detune_cents / 2400.0).exp2();
        let detuned = patch.detune_cents > 0.0 && patch.wave != Wave::Noise;
        self.increment[0][lane] = (increment * detune).clamp(0.0, MAX_INCREMENT);
        self.increment[1][lane] = (increment / detune).clamp(0.0, MAX_INCREMENT);
        self.level[0][lane] = if detuned { 0.6 } else { 1.0 };
        self.level[1][lane] = if detuned { 0.6 } else { 0.0 };
        for which in 0..2 {
            self.step[which][lane] = (self.increment[which][lane] * PERIOD) as u32;
        }
        self.phase[0][lane] = (phase * PERIOD) as u32;
        self.phase[1][lane] = self.phase[0][lane].wrapping_add(0x5EB8_51EB);
        self.width[lane] = patch.width;
        self.wave[lane] = patch.wave;
        self.noise.start(lane, self.phase[0][lane]);
        let phases = [self.phase[0][lane], self.phase[1][lane]];
        self.modulators.start(lane, patch, self.increment[0][lane], phases);
        self.vibratos.start(lane, patch, phase);
    }

    /// Silences one voice. Real-time safe.
    pub(super) fn stop(&mut self, lane: usize) {
        self.level[0][lane] = 0.0;
        self.level[1][lane] = 0.0;
        self.vibratos.stop(lane);
    }

    /// Whether any sounding voice has this waveform. Real-time safe.
    pub(super) fn has(&self, wave: Wave) -> bool {
        (0..LANES).any(|l| self.wave[l] == wave && self.level[0][l] > 0.0)
    }

    /// Renders `frames` frames into `out`. `envelope`, 0..=1, scales the modulation of FM voices.
    /// Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, frames: usize, envelope: &Lanes, out: &mut LaneBlock) {
        for frame in &mut out[..frames] {
            *frame = [0.0; LANES];
        }
        let (mut steps, mut increments) = (self.step, self.increment);
        if let Some(factors) = self.vibratos.advance(frames) {
            for which in 0..2 {
                increments[which] = std::array::from_fn(|l| increments[which][l] * factors[which][l]);
                steps[which] = increments[which].map(|increment| (increment * PERIOD) as u32);
            }
        }
        let swing = if self.has(Wave::Fm) { Some(self.modulators.ramp(envelope, frames)) } else { None };
        for which in 0..2 {
            if self.level[which].iter().all(|&level| level == 0.0) {
                continue;
            }
            advance(&mut self.phase[which], &steps[which], &mut self.phases[..frames]);
            let phases = &self.phases[..frames];
            for wave in WAVES {
                let all = &self.level[which];
                let level = std::array::from_fn(|lane| if self.wave[lane] == wave { all[lane] } else { 0.0 });
                if level.iter().all(|&l: &f32| l == 0.0) {
                    continue;
                }
                let increment = &increments[which];
                match (wave, swing) {
                    (Wave::Noise, _) => self.noise.add(&level, &mut out[..frames]),
                    (Wave::Fm, Some(swing)) => {
                        self.modulators.add(which, (increment, &level), swing, phases, out);
                    }
                    _ => Shape { increment, level: &level, width: &self.width }.wave(wave, phases, out),
                }
            }
        }
    }
}

/// Adds one waveform to the output of all voices whose level is not 0.
struct Shape<'a> {
    increment: &'a Lanes,
    level: &'a Lanes,
    width: &'a Lanes,
}

impl Shape<'_> {
    #[inline(always)]
    fn wave(&self, wave: Wave, phases: &[Lanes], out: &mut LaneBlock) {
        let (increment, width) = (*self.increment, *self.width);
        let inverse = increment.map(|increment| 1.0 / increment.max(1e-6));
        match wave {
            Wave::Sine => self.add(phases, out, |p, _| cosine(p)),
            Wave::Saw => self.add(phases, out, |p, l| saw(p, inverse[l])),
            Wave::Pulse => self.add(phases, out, |p, l| {
                let other = p + width[l];
                let other = other - if other >= 1.0 { 1.0 } else { 0.0 };
                // The difference between two saws of different phase is a pulse wave without DC.
                0.7 * (saw(p, inverse[l]) - saw(other, inverse[l]))
            }),
            Wave::Triangle => self.add(phases, out, |p, l| triangle(p, inverse[l], increment[l])),
            // Noise and FM depend on more than the phase. They are computed by other modules.
            Wave::Noise | Wave::Fm => {}
        }
    }

    #[inline(always)]
    fn add(&self, phases: &[Lanes], out: &mut LaneBlock, shape: impl Fn(f32, usize) -> f32) {
        for (phase, frame) in phases.iter().zip(out) {
            for l in 0..LANES {
                frame[l] += self.level[l] * shape(phase[l], l);
            }
        }
    }
}

/// A rising saw. Its edge is rounded over one frame on either side.
#[inline]
fn saw(p: f32, inverse: f32) -> f32 {
    let after = positive(1.0 - p * inverse);
    let before = positive(1.0 - (1.0 - p) * inverse);
    2.0 * p - 1.0 + after * after - before * before
}

/// A triangle. Its corners are rounded over one frame on either side.
#[inline]
fn triangle(p: f32, inverse: f32, increment: f32) -> f32 {
    let corner = |distance: f32| {
        let x = positive(1.0 - distance * inverse);
        x * x * x
    };
    let centre = (p - 0.5).abs();
    let naive = 1.0 - 4.0 * centre;
    naive + increment * (8.0 / 6.0) * (corner(0.5 - centre) - corner(centre))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const RATE_HZ: f32 = 48_000.0;

    fn render(wave: Wave, freq_hz: f32, frames: usize) -> Vec<f32> {
        let mut osc = Oscillators::new(RATE_HZ);
        let patch = Patch { wave, detune_cents: 0.0, width: 0.3, ..Patch::default() };
        osc.start(3, &patch, freq_hz / RATE_HZ, 0.0);
        let mut out = Vec::new();
        let mut block = [[0.0; LANES]; BLOCK];
        while out.len() < frames {
            osc.render(BLOCK, &[1.0; LANES], &mut block);
            out.extend(block.iter().map(|frame| frame[3]));
        }
        out.truncate(frames);
        out
    }

    /// Power at one frequency. It is computed with a discrete Fourier transform and a Hann window.
    pub(in super::super) fn power(samples: &[f32], freq_hz: f32) -> f64 {
        let (mut re, mut im) = (0.0_f64, 0.0_f64);
        let turn = std::f64::consts::TAU / samples.len() as f64;
        for (i, &x) in samples.iter().enumerate() {
            let hann = 0.5 - 0.5 * (turn * i as f64).cos();
            let angle = std::f64::consts::TAU * f64::from(freq_hz) * i as f64 / f64::from(RATE_HZ);
            re += f64::from(x) * hann * angle.cos();
            im += f64::from(x) * hann * angle.sin();
        }
        re * re + im * im
    }

    /// Power at one frequency relative to `whole`, dB. `whole` is the sum of all squared samples. A
    /// single sine at this frequency gives 0 dB.
    pub(in super::super) fn power_db(samples: &[f32], freq_hz: f32, whole: f64) -> f64 {
        10.0 * (8.0 * power(samples, freq_hz) / (samples.len() as f64 * whole)).log10()
    }

    #[test]
    fn aliases_stay_below_the_fundamental() {
        // At a pitch of 1661 Hz, harmonics above half the sample rate fold back to frequencies
        // between the true harmonics.
        let freq_hz = 1661.0;
        for (wave, limit_db) in
            [(Wave::Saw, -38.0), (Wave::Pulse, -38.0), (Wave::Triangle, -60.0), (Wave::Sine, -80.0)]
        {
            let samples = render(wave, freq_hz, 48_000);
            let fundamental = power(&samples, freq_hz);
            // Only aliases below 6 kHz are checked, because higher aliases are less audible.
            // Harmonics 15 to 57 are above half the sample rate, and fold back once or twice.
            for harmonic in 15..58 {
                let folded = (harmonic as f32 * freq_hz) % RATE_HZ;
                let alias_hz = folded.min(RATE_HZ - folded);
                let near_true = (alias_hz / freq_hz - (alias_hz / freq_hz).round()).abs() < 0.01;
                if alias_hz < 6000.0 && !near_true {
                    let db = 10.0 * (power(&samples, alias_hz) / fundamental).log10();
                    assert!(db < limit_db, "{wave:?} harmonic {harmonic} at {alias_hz} Hz: {db:.1} dB");
                }
            }
        }
    }

    #[test]
    fn waveforms_have_no_dc_and_equal_level() {
        for wave in WAVES {
            let samples = render(wave, 480.0, 48_000);
            let mean = samples.iter().sum::<f32>() / samples.len() as f32;
            assert!(mean.abs() < 2e-3, "{wave:?} {mean}");
            let peak = samples.iter().fold(0.0_f32, |a, &b| a.max(b.abs()));
            assert!((0.9..1.25).contains(&peak), "{wave:?} {peak}");
        }
    }

    #[test]
    fn pitch_is_exact() {
        let samples = render(Wave::Sine, 440.0, 48_000);
        let crossings = samples.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!((439..=440).contains(&crossings), "{crossings}");
    }
}
