//! Computes the long-term spectrum of a clip and its features.

use realfft::RealFftPlanner;

use crate::adapter::RATE_HZ;

/// Number of frequency bands of a spectrum.
pub const BANDS: usize = 6;
/// Upper limit of each band except the last, Hz.
const LIMITS_HZ: [f64; BANDS - 1] = [150.0, 300.0, 600.0, 1200.0, 2400.0];
/// Lowest frequency that the features of a spectrum include, Hz. `HIGHEST_HZ` is the highest.
const LOWEST_HZ: f64 = 30.0;
const HIGHEST_HZ: f64 = 20_000.0;
const LENGTH: usize = 4096;

/// The power spectrum of a sound, summed over all windows.
#[derive(Clone, Debug)]
pub struct Spectrum {
    /// Power of each bin. The first bin is at 0 Hz.
    power: Vec<f64>,
}

impl Spectrum {
    /// Computes the spectrum of one channel from windows of 85 ms that overlap by half.
    pub fn measure(mono: &[f32]) -> Self {
        let mut power = vec![0.0; LENGTH / 2 + 1];
        each(mono, LENGTH, LENGTH / 2, |_, spectrum| {
            for (sum, now) in power.iter_mut().zip(spectrum) {
                *sum += f64::from(*now);
            }
        });
        Self { power }
    }

    /// Mean of the log frequency, weighted by power, in semitones above 440 Hz; 0 for silence.
    pub fn centroid_semitones(&self) -> f64 {
        let (mut sum, mut weighted) = (0.0, 0.0);
        for (hz, power) in self.bins() {
            sum += power;
            weighted += power * 12.0 * (hz / 440.0).log2();
        }
        if sum > 0.0 { weighted / sum } else { 0.0 }
    }

    /// Share of the total power in each band, 0..=1; all 0 for silence.
    pub fn bands(&self) -> [f64; BANDS] {
        let (mut bands, mut sum) = ([0.0; BANDS], 0.0);
        for (hz, power) in self.bins() {
            bands[LIMITS_HZ.iter().filter(|limit| **limit <= hz).count()] += power;
            sum += power;
        }
        bands.map(|band| if sum > 0.0 { band / sum } else { 0.0 })
    }

    /// Power of the frequencies from `from_hz` (inclusive) to `to_hz` (exclusive).
    pub fn within(&self, (from_hz, to_hz): (f64, f64)) -> f64 {
        self.bins().filter(|(hz, _)| (from_hz..to_hz).contains(hz)).map(|(_, power)| power).sum()
    }

    /// Share of the power above `limit_hz`, 0..=1.
    pub fn share_above(&self, limit_hz: f64) -> f64 {
        let (mut above, mut sum) = (0.0, 0.0);
        for (hz, power) in self.bins() {
            above += if hz > limit_hz { power } else { 0.0 };
            sum += power;
        }
        if sum > 0.0 { above / sum } else { 0.0 }
    }

    fn bins(&self) -> impl Iterator<Item = (f64, f64)> {
        let width_hz = f64::from(RATE_HZ) / LENGTH as f64;
        let bins = self.power.iter().enumerate().map(move |(bin, power)| (bin as f64 * width_hz, *power));
        bins.filter(|(hz, _)| (LOWEST_HZ..=HIGHEST_HZ).contains(hz))
    }
}

/// Splits a sound into Hann windows of `length` samples, one every `hop` samples. Calls `take` for
/// each window, with the window's index and power spectrum.
pub(crate) fn each(mono: &[f32], length: usize, hop: usize, mut take: impl FnMut(usize, &[f32])) {
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(length);
    let hann: Vec<f32> =
        (0..length).map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / length as f32).cos()).collect();
    let (mut input, mut output) = (transform.make_input_vec(), transform.make_output_vec());
    let (mut scratch, mut power) = (transform.make_scratch_vec(), vec![0.0; output.len()]);
    let windows = (mono.len() + hop).saturating_sub(length) / hop;
    for index in 0..windows {
        let window = &mono[index * hop..index * hop + length];
        for ((to, from), weight) in input.iter_mut().zip(window).zip(&hann) {
            *to = from * weight;
        }
        transform
            .process_with_scratch(&mut input, &mut output, &mut scratch)
            .expect("the buffers have the sizes that the transform needs");
        for (power, bin) in power.iter_mut().zip(&output) {
            *power = bin.norm_sqr();
        }
        take(index, &power);
    }
}

/// Power in each band of each window. Each octave has `per_octave` bands, and the first band begins
/// at `lowest_hz`.
pub(crate) fn in_octaves<const BANDS: usize>(
    mono: &[f32],
    length: usize,
    hop: usize,
    lowest_hz: f64,
    per_octave: f64,
) -> Vec<[f32; BANDS]> {
    let band = |bin: usize| {
        let hz = bin as f64 * f64::from(RATE_HZ) / length as f64;
        let band = (per_octave * (hz / lowest_hz).log2()).floor();
        (0.0..BANDS as f64).contains(&band).then_some(band as usize)
    };
    let band_of: Vec<Option<usize>> = (0..=length / 2).map(band).collect();
    let mut windows = Vec::new();
    each(mono, length, hop, |_, power| {
        let mut bands = [0.0; BANDS];
        for (power, band) in power.iter().zip(&band_of) {
            if let Some(band) = band {
                bands[*band] += power;
            }
        }
        windows.push(bands);
    });
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_noise_shares_equal_the_bandwidths() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<f32> = (0..10 * RATE_HZ).map(|_| random.f32() - 0.5).collect();
        let spectrum = Spectrum::measure(&noise);
        let above = spectrum.share_above(6000.0);
        assert!((above - 0.701).abs() < 0.02, "{above}");
        let bands = spectrum.bands();
        assert!((bands.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((bands[3] / bands[2] - 2.0).abs() < 0.2, "{bands:?}");
    }

    #[test]
    fn windows_end_with_the_sound() {
        let count = |length| {
            let mut windows = 0;
            each(&vec![0.0; length], 1024, 512, |_, _| windows += 1);
            windows
        };
        assert_eq!([count(0), count(1023), count(1024), count(1535), count(1536)], [0, 0, 1, 1, 2]);
    }
}
