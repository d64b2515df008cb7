//! Measures the features of a clip: a few numbers, rounded to steps that a person can just notice.
//!
//! The size of a step depends on the feature. It is 1 dB for the level, 1 semitone for the
//! centroid, and 0.3 onsets/s for the onset rate. It is 1.5 dB for a band's share and for the
//! envelope's range. All features are measured in the sound, without the list of notes.

mod balance;
mod onsets;
mod spectrum;

use anyhow::Result;
pub(crate) use spectrum::{each as each_window, in_octaves};

pub use self::{
    balance::{BALANCES, rough_balance},
    onsets::{onset_rate, onset_times},
    spectrum::{BANDS, Spectrum},
};
use crate::{adapter::RATE_HZ, loudness};

/// Number of features of a clip.
pub const COUNT: usize = 4 + BANDS;
/// Size of each feature's step, in the order of [`SoundFeatures::rough`].
const STEPS: [f64; COUNT] = [1.0, 1.0, 0.3, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5];
/// The lowest share of a band that is reported, dB. Smaller shares are reported as this value.
const EMPTY_BAND_DB: f64 = -40.0;
/// The lowest level that is reported, dB or LUFS. Silence is reported as this value.
const SILENCE: f64 = -70.0;
/// Length of the pieces of sound whose levels form the envelope, seconds.
const ENVELOPE_S: f64 = 0.1;

/// The features of one clip, before rounding to steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoundFeatures {
    /// Integrated loudness, LUFS.
    pub level_lufs: f64,
    /// Mean of the log frequency, weighted by power, in semitones above 440 Hz.
    pub centroid_semitones: f64,
    /// Onsets per second.
    pub onsets_per_s: f64,
    /// Difference between the 10th and the 90th percentile of the levels of all 0.1 s pieces, dB.
    pub envelope_range_db: f64,
    /// Share of the total power in each band, dB.
    pub bands_db: [f64; BANDS],
}

impl SoundFeatures {
    /// Measures the features of interleaved stereo.
    pub fn measure(samples: &[f32]) -> Result<Self> {
        let mono = mid(samples);
        let spectrum = Spectrum::measure(&mono);
        Ok(Self {
            level_lufs: loudness::integrated(samples)?.max(SILENCE),
            centroid_semitones: spectrum.centroid_semitones(),
            onsets_per_s: onset_rate(&mono),
            envelope_range_db: envelope_range_db(&mono),
            bands_db: spectrum.bands().map(|share| decibel(share).max(EMPTY_BAND_DB)),
        })
    }

    /// Rounds the features to whole steps, for the classifier.
    pub fn rough(&self) -> [f64; COUNT] {
        let Self { level_lufs, centroid_semitones, onsets_per_s, envelope_range_db, bands_db: b } = *self;
        let fine = [
            level_lufs,
            centroid_semitones,
            onsets_per_s,
            envelope_range_db,
            b[0],
            b[1],
            b[2],
            b[3],
            b[4],
            b[5],
        ];
        std::array::from_fn(|i| (fine[i] / STEPS[i]).round())
    }
}

/// The mean of the left and right channels of interleaved stereo.
pub fn mid(samples: &[f32]) -> Vec<f32> {
    samples.as_chunks().0.iter().map(|&[left, right]| 0.5 * (left + right)).collect()
}

/// Converts a ratio of powers to dB. The result is at least [`SILENCE`].
fn decibel(ratio: f64) -> f64 {
    (10.0 * ratio.max(1e-12).log10()).max(SILENCE)
}

fn envelope_range_db(mono: &[f32]) -> f64 {
    let length = (ENVELOPE_S * f64::from(RATE_HZ)) as usize;
    let power = |piece: &[f32]| piece.iter().map(|&x| f64::from(x * x)).sum::<f64>() / piece.len() as f64;
    let mut levels: Vec<f64> = mono.chunks_exact(length).map(|piece| decibel(power(piece))).collect();
    levels.sort_by(f64::total_cmp);
    if levels.is_empty() {
        return 0.0;
    }
    let at = |share: f64| levels[(share * (levels.len() - 1) as f64).round() as usize];
    at(0.9) - at(0.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, amplitude: f64, seconds: f64) -> Vec<f32> {
        let sample = |i: usize| {
            (amplitude * (std::f64::consts::TAU * hz * i as f64 / f64::from(RATE_HZ)).sin()) as f32
        };
        (0..(seconds * f64::from(RATE_HZ)) as usize).flat_map(|i| [sample(i); 2]).collect()
    }

    #[test]
    fn an_octave_is_twelve_semitones_brighter() {
        let of = |hz| SoundFeatures::measure(&tone(hz, 0.1, 5.0)).unwrap();
        let (low, high) = (of(440.0), of(880.0));
        assert!((low.centroid_semitones).abs() < 0.5, "{low:?}");
        assert!((high.centroid_semitones - low.centroid_semitones - 12.0).abs() < 0.5, "{high:?}");
        assert!(low.bands_db[2] > -1.0 && high.bands_db[3] > -1.0, "{low:?} {high:?}");
        assert_eq!(low.onsets_per_s, 0.0);
    }

    #[test]
    fn half_amplitude_changes_only_the_level() {
        let of = |amplitude| SoundFeatures::measure(&tone(440.0, amplitude, 5.0)).unwrap();
        let (loud, soft) = (of(0.2), of(0.1));
        assert!((loud.level_lufs - soft.level_lufs - 6.02).abs() < 0.1);
        assert_eq!(loud.rough()[1..], soft.rough()[1..]);
    }

    #[test]
    fn the_envelope_range_matches_the_tone() {
        let mut samples = tone(440.0, 0.1, 5.0);
        let half = samples.len() / 2;
        samples[half..].iter_mut().for_each(|sample| *sample *= 0.1);
        let range = SoundFeatures::measure(&samples).unwrap().envelope_range_db;
        assert!((range - 20.0).abs() < 0.5, "{range}");
    }

    #[test]
    fn silence_has_finite_features() {
        let silent = SoundFeatures::measure(&vec![0.0; 2 * RATE_HZ as usize]).unwrap();
        assert!(silent.rough().iter().all(|feature| feature.is_finite()), "{silent:?}");
        assert_eq!(silent.level_lufs, SILENCE);
    }

    #[test]
    fn differences_below_a_step_are_ignored() {
        let one = SoundFeatures {
            level_lufs: -23.2,
            centroid_semitones: 3.1,
            onsets_per_s: 1.21,
            envelope_range_db: 6.1,
            bands_db: [-3.1; BANDS],
        };
        let other = SoundFeatures { level_lufs: -22.8, centroid_semitones: 2.9, onsets_per_s: 1.1, ..one };
        assert_eq!(one.rough(), other.rough());
        assert_ne!(one.rough(), SoundFeatures { level_lufs: -21.9, ..one }.rough());
    }
}
