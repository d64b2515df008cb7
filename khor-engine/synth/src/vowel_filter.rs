//! Filters the sung share of each bus with five parallel band-pass filters, one for each formant of
//! the vowel.
//!
//! All voices share one filter bank. Separate banks would need 24 x 5 filters. Sharing sounds
//! natural, because all singers of a choir sing the same vowel.

use super::{
    group::BUSES,
    lanes::{BLOCK, flush, sanitize, tan_pi},
    vowel::{FORMANTS, Vowel},
};

/// Time constant with which the vowel changes, seconds. It is as fast as a mouth moves, and too
/// slow to cause a click.
const GLIDE_S: f32 = 0.08;
/// The bandwidths of the formants are multiplied by this factor. The formants of a choir are wider
/// than those of a single singer, because the formants of its singers differ slightly.
const BANDWIDTH_FACTOR: f32 = 2.5;
/// Highest centre frequency, as a share of the sample rate. Above it, the approximation of the
/// tangent is inaccurate.
const MAX_CENTRE: f32 = 0.27;

/// One block of every bus, summed over all voices.
pub(super) type BusSums = [[f32; BLOCK]; BUSES];

/// States and coefficients of the filter bank. The channels of each formant are adjacent, so that
/// the compiler can use vector instructions.
#[derive(Clone, Debug)]
pub(super) struct VowelFilter {
    ic1: [[f32; BUSES]; FORMANTS],
    ic2: [[f32; BUSES]; FORMANTS],
    /// Coefficients 2 a1 - 1, 2 a2 and 2 a3 of each filter (as in `svf`), and the gain of its
    /// band-pass output.
    coefficients: [[f32; FORMANTS]; 4],
    /// Current and target vowel, from 0 (u) to 1 (e).
    vowel: f32,
    target: f32,
    /// Share of the distance to the target vowel that is covered in one block.
    rate: f32,
    sample_rate_hz: f32,
}

impl VowelFilter {
    pub(super) fn new(vowel: f32, sample_rate_hz: f32) -> Self {
        let mut vowel_filter = Self {
            ic1: [[0.0; BUSES]; FORMANTS],
            ic2: [[0.0; BUSES]; FORMANTS],
            coefficients: [[0.0; FORMANTS]; 4],
            vowel,
            target: vowel,
            rate: 1.0 - (-(BLOCK as f32) / (GLIDE_S * sample_rate_hz)).exp(),
            sample_rate_hz,
        };
        vowel_filter.update_coefficients();
        vowel_filter
    }

    /// Sets the target vowel, from 0 (u) to 1 (e). The vowel glides to the target. NaN is ignored.
    /// Real-time safe.
    pub(super) fn set_vowel(&mut self, vowel: f32) {
        if vowel.is_finite() {
            self.target = vowel.clamp(0.0, 1.0);
        }
    }

    /// Adds the filtered sung share to `out`. If `sung` is `None`, the filters have no input and
    /// only decay. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, sung: Option<&BusSums>, out: &mut BusSums) {
        if self.vowel != self.target {
            self.vowel += self.rate * (self.target - self.vowel);
            if (self.vowel - self.target).abs() < 1e-4 {
                self.vowel = self.target;
            }
            self.update_coefficients();
        }
        match sung {
            Some(sung) => self.filter(sung, out),
            None if self.ic1 == [[0.0; BUSES]; FORMANTS] => {}
            None => self.filter(&[[0.0; BLOCK]; BUSES], out),
        }
    }

    /// Advances the glide of the vowel, and computes the coefficients.
    fn update_coefficients(&mut self) {
        let vowel = Vowel::at(self.vowel);
        for f in 0..FORMANTS {
            let g = tan_pi((vowel.freq_hz[f] / self.sample_rate_hz).min(MAX_CENTRE));
            let k = BANDWIDTH_FACTOR * vowel.width_hz[f] / vowel.freq_hz[f];
            let a1 = 1.0 / (1.0 + g * (g + k));
            // Adjacent formants have opposite signs, because equal signs would cancel between the
            // centres (Klatt, "Software for a cascade/parallel formant synthesizer", 1980). The
            // factor k makes the gain at the peak 1. The factor 0.5 is needed because `filter` adds
            // two successive states instead of averaging them.
            let sign = if f % 2 == 0 { 0.5 } else { -0.5 };
            let gain = sign * k * 10_f32.powf((vowel.gain_db[f] + vowel.makeup_db) / 20.0);
            let values = [2.0 * a1 - 1.0, 2.0 * g * a1, 2.0 * g * g * a1, gain];
            for (coefficient, value) in self.coefficients.iter_mut().zip(values) {
                coefficient[f] = value;
            }
        }
    }

    #[inline(always)]
    fn filter(&mut self, sung: &BusSums, out: &mut BusSums) {
        let [b1, b2, b3, gain] = self.coefficients;
        let (mut ic1, mut ic2) = (self.ic1, self.ic2);
        for i in 0..BLOCK {
            let x: [f32; BUSES] = std::array::from_fn(|bus| sung[bus][i]);
            let mut sum = [0.0; BUSES];
            for f in 0..FORMANTS {
                for bus in 0..BUSES {
                    let (s1, s2) = (ic1[f][bus], ic2[f][bus]);
                    let next1 = b1[f] * s1 + b2[f] * (x[bus] - s2);
                    ic2[f][bus] = (s2 - b3[f] * s2) + (b2[f] * s1 + b3[f] * x[bus]);
                    sum[bus] += gain[f] * (next1 + s1);
                    ic1[f][bus] = next1;
                }
            }
            for bus in 0..BUSES {
                out[bus][i] += sum[bus];
            }
        }
        self.ic1 = ic1.map(|buses| buses.map(|x| flush(sanitize(x))));
        self.ic2 = ic2.map(|buses| buses.map(|x| flush(sanitize(x))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f32 = 48_000.0;

    /// Gain of the filter bank for a sine of `freq_hz`, dB.
    fn response_db(vowel: f32, freq_hz: f32) -> f32 {
        let mut vowel_filter = VowelFilter::new(vowel, RATE_HZ);
        let mut square = 0.0;
        for block in 0..600 {
            let mut sung = [[0.0; BLOCK]; BUSES];
            for (i, x) in sung[1].iter_mut().enumerate() {
                let t = (block * BLOCK + i) as f64 / f64::from(RATE_HZ);
                *x = (std::f64::consts::TAU * f64::from(freq_hz) * t).sin() as f32;
            }
            let mut out = [[0.0; BLOCK]; BUSES];
            vowel_filter.render(Some(&sung), &mut out);
            assert!(
                out[0].iter().chain(&out[2]).chain(&out[3]).all(|&x| x == 0.0),
                "the sung share must stay in its bus"
            );
            if block >= 300 {
                square += out[1].iter().map(|x| x * x).sum::<f32>();
            }
        }
        10.0 * (square / (300 * BLOCK) as f32 * 2.0).log10()
    }

    #[test]
    fn formant_peaks_match_the_vowel() {
        for position in [0.0, 0.35, 2.0 / 3.0, 1.0] {
            let vowel = Vowel::at(position);
            let peak = response_db(position, vowel.freq_hz[0]);
            assert!((peak - vowel.makeup_db).abs() < 2.0, "{position}: {peak}");
            // If the second formant is weak and close to the first, the flank of the first formant
            // raises its level.
            let second = response_db(position, vowel.freq_hz[1]) - peak - vowel.gain_db[1];
            assert!((-5.0..=8.0).contains(&second), "{position}: {second}");
            for off_hz in [vowel.freq_hz[0] * 0.5, vowel.freq_hz[1] * 1.35, 8000.0] {
                let off = response_db(position, off_hz);
                assert!(off < peak - 6.0, "{position}: {off_hz} Hz {off} of {peak}");
            }
        }
    }

    #[test]
    fn the_second_formant_separates_vowels() {
        let share = |vowel, hz| response_db(vowel, hz) - response_db(vowel, 400.0);
        let (e, u, a) = (1.0, 0.0, 2.0 / 3.0);
        let (front, back) = (share(e, 1700.0), share(u, 1700.0));
        assert!(front > back + 6.0, "{front} {back}");
        let (open, closed) = (share(a, 1000.0), share(e, 1000.0));
        assert!(open > closed + 10.0, "{open} {closed}");
    }

    #[test]
    fn the_choir_recovers_from_non_finite_input() {
        let mut vowel_filter = VowelFilter::new(0.5, RATE_HZ);
        vowel_filter.set_vowel(f32::NAN);
        vowel_filter.render(Some(&[[f32::MAX; BLOCK]; BUSES]), &mut [[0.0; BLOCK]; BUSES]);
        vowel_filter.render(Some(&[[0.5; BLOCK]; BUSES]), &mut [[0.0; BLOCK]; BUSES]);
        let mut out = [[0.0; BLOCK]; BUSES];
        for _ in 0..1500 {
            out = [[0.0; BLOCK]; BUSES];
            vowel_filter.render(None, &mut out);
        }
        assert_eq!(out, [[0.0; BLOCK]; BUSES]);
        assert_eq!(vowel_filter.ic1, [[0.0; BUSES]; FORMANTS]);
    }
}
