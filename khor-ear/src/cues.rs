//! Finds cues in the sound with a matched filter on spectrograms. The filter knows only what each
//! cue sounds like.
//!
//! A pattern holds the expected levels of sixth-octave bands over time. Each expected level is
//! computed from a sum of two powers: the power of the cue without load, and the median power of
//! the load without the cue. A pattern is compared to the sound by normalised correlation. First,
//! the mean of each band is subtracted, so neither loudness nor a steady bed affects the result.

use crate::{adapter::RATE_HZ, features::in_octaves};

const WINDOW_SAMPLES: usize = 4096;
/// Time between the starts of two windows: 10 ms.
const HOP_SAMPLES: usize = RATE_HZ as usize / 100;
const HOP_S: f64 = HOP_SAMPLES as f64 / RATE_HZ as f64;
/// Number of bands: sixth octaves from 60 Hz to about 7.7 kHz.
const BANDS: usize = 42;
const LOWEST_HZ: f64 = 60.0;
/// Power that is added to every band, so that silence has a finite level.
const FLOOR: f32 = 1e-6;
/// Number of windows in a pattern, which lasts 1.3 s.
const PATTERN_WINDOWS: usize = 130;

type Bands = [f32; BANDS];

/// Power of each band in each window.
pub struct Spectrogram(Vec<Bands>);

/// The expected spectrogram of a cue during a load: levels in dB, each band minus its mean.
pub struct Pattern {
    levels: Vec<Bands>,
    norm: f32,
}

impl Spectrogram {
    /// Computes the spectrogram of one channel.
    pub fn measure(mono: &[f32]) -> Self {
        Self(in_octaves(mono, WINDOW_SAMPLES, HOP_SAMPLES, LOWEST_HZ, 6.0))
    }

    /// Median power of each band over all windows.
    fn median(&self) -> Bands {
        std::array::from_fn(|band| {
            let mut values: Vec<f32> = self.0.iter().map(|window| window[band]).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        })
    }

    /// The highest similarity between this sound and a pattern, -1..=1. The pattern may begin at
    /// any time from `from_s` to `to_s`.
    pub fn likeness(&self, pattern: &Pattern, from_s: f64, to_s: f64) -> f32 {
        let window = |s: f64| ((s.max(0.0) / HOP_S).round() as usize).min(self.0.len());
        let end = (window(to_s) + PATTERN_WINDOWS).min(self.0.len());
        let levels: Vec<Bands> = self.0[window(from_s)..end].iter().map(|window| window.map(level)).collect();
        levels.windows(PATTERN_WINDOWS).map(|levels| pattern.likeness(levels)).fold(-1.0, f32::max)
    }
}

impl Pattern {
    /// Creates the pattern of a cue during a load. `cue` is the spectrogram of the cue alone, from
    /// its onset.
    pub fn new(cue: &Spectrogram, load: &Spectrogram) -> Self {
        let median = load.median();
        let nothing = [0.0; BANDS];
        let window = |at: usize| {
            let cue = cue.0.get(at).unwrap_or(&nothing);
            std::array::from_fn(|band| level(cue[band] + median[band]))
        };
        let (levels, norm) = centred((0..PATTERN_WINDOWS).map(window).collect());
        Self { levels, norm }
    }

    fn likeness(&self, levels: &[Bands]) -> f32 {
        let (levels, norm) = centred(levels.to_vec());
        let product = |(a, b): (&Bands, &Bands)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        levels.iter().zip(&self.levels).map(product).sum::<f32>() / (norm * self.norm).max(FLOOR)
    }
}

fn level(power: f32) -> f32 {
    10.0 * (power + FLOOR).log10()
}

/// Subtracts each band's mean. Also returns the Euclidean norm of the result.
fn centred(mut levels: Vec<Bands>) -> (Vec<Bands>, f32) {
    let count = levels.len().max(1) as f32;
    let means: Bands =
        std::array::from_fn(|band| levels.iter().map(|window| window[band]).sum::<f32>() / count);
    for window in &mut levels {
        for (level, mean) in window.iter_mut().zip(&means) {
            *level -= mean;
        }
    }
    let norm = levels.iter().flatten().map(|level| level * level).sum::<f32>().sqrt();
    (levels, norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise with tones that last 0.2 s. Each entry of `tones` is a start time in seconds and a
    /// frequency in Hz.
    fn sound(tones: &[(f64, f64)], seconds: f64, noise: f32) -> Vec<f32> {
        let rate = f64::from(RATE_HZ);
        let mut random = fastrand::Rng::with_seed(1);
        let sample = |i: usize| {
            let t = i as f64 / rate;
            let tone = |&(at, hz): &(f64, f64)| {
                let since = t - at;
                if (0.0..0.2).contains(&since) {
                    0.1 * (std::f64::consts::TAU * hz * since).sin()
                } else {
                    0.0
                }
            };
            tones.iter().map(tone).sum::<f64>() as f32 + noise * (random.f32() - 0.5)
        };
        (0..(seconds * rate) as usize).map(sample).collect()
    }

    #[test]
    fn a_motif_matches_only_its_own_place() {
        let falling = [(0.0, 880.0), (0.3, 660.0), (0.6, 440.0)];
        let rising = [(0.0, 440.0), (0.3, 660.0), (0.6, 880.0)];
        let at =
            |tones: &[(f64, f64)], by: f64| tones.iter().map(|(t, hz)| (t + by, *hz)).collect::<Vec<_>>();
        let load = Spectrogram::measure(&sound(&[], 4.0, 0.05));
        let pattern =
            |tones: &[(f64, f64)]| Pattern::new(&Spectrogram::measure(&sound(tones, 2.0, 0.0)), &load);
        let heard = Spectrogram::measure(&sound(&at(&falling, 1.5), 4.0, 0.05));
        let right = heard.likeness(&pattern(&falling), 1.4, 1.6);
        let wrong = heard.likeness(&pattern(&rising), 1.4, 1.6);
        let elsewhere = heard.likeness(&pattern(&falling), 0.0, 0.4);
        let nothing = load.likeness(&pattern(&falling), 0.0, 2.0);
        assert!(right > 0.8 && right > 2.0 * wrong && right > 2.0 * elsewhere && right > 2.0 * nothing);
    }
}
