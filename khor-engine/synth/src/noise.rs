//! Generates white noise for eight voices. Each voice has its own random generator, which is seeded
//! when a note starts.

use super::lanes::{LANES, Lanes};

/// Eight xorshift generators with shifts 13, 17 and 5 and a period of 2^32 - 1 (Marsaglia,
/// "Xorshift RNGs", 2003). Each step needs three shifts and no multiplication. Every vector unit
/// supports shifts.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    /// States of the generators. They are never 0, because a generator with state 0 would only
    /// generate 0.
    state: [u32; LANES],
}

impl Noise {
    pub(super) const fn new() -> Self {
        Self { state: [1; LANES] }
    }

    /// Starts the random sequence of one voice with this seed. Real-time safe.
    pub(super) fn start(&mut self, lane: usize, seed: u32) {
        // The finaliser of MurmurHash3 turns similar seeds into unrelated sequences.
        let mut hash = seed;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
        self.state[lane] = (hash ^ (hash >> 16)) | 1;
    }

    /// Adds uniform noise in -level..level to each frame. Real-time safe.
    #[inline(always)]
    pub(super) fn add(&mut self, level: &Lanes, out: &mut [Lanes]) {
        let mut state = self.state;
        for frame in out {
            for l in 0..LANES {
                state[l] ^= state[l] << 13;
                state[l] ^= state[l] >> 17;
                state[l] ^= state[l] << 5;
                // The upper 23 bits of the random number become the fraction of a float in 2..4.
                frame[l] += level[l] * (f32::from_bits((state[l] >> 9) | 0x4000_0000) - 3.0);
            }
        }
        self.state = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Generates one second of noise with the generator of one lane.
    fn samples(lane: usize, seed: u32) -> Vec<f32> {
        let mut noise = Noise::new();
        noise.start(lane, seed);
        let mut out = vec![[0.0; LANES]; 48_000];
        noise.add(&[1.0; LANES], &mut out);
        out.iter().map(|frame| frame[lane]).collect()
    }

    fn correlation(a: &[f32], b: &[f32]) -> f32 {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        product(a, b) / (product(a, a) * product(b, b)).sqrt()
    }

    #[test]
    fn noise_depends_only_on_the_seed() {
        assert_eq!(samples(0, 7), samples(5, 7));
        assert!(correlation(&samples(0, 7), &samples(0, 8)).abs() < 0.02);
    }

    #[test]
    fn noise_is_white_without_dc() {
        let samples = samples(2, 1);
        let mean = samples.iter().sum::<f32>() / samples.len() as f32;
        assert!(mean.abs() < 0.01, "{mean}");
        let rms = (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt();
        // The RMS of uniform noise within -1..1 is 1 / sqrt 3.
        assert!((rms - 0.577).abs() < 0.01, "{rms}");
        // In white noise, a sample does not correlate with later ones.
        for lag in 1..50 {
            let similar = correlation(&samples[lag..], &samples[..samples.len() - lag]);
            assert!(similar.abs() < 0.025, "lag {lag}: {similar}");
        }
    }
}
