//! A look-ahead limiter. Its gain falls before a peak arrives, so the output never clips.
//!
//! The limiter measures the signal in chunks, and computes the gain in three steps. First, it takes
//! the lowest gain that any chunk within the look-ahead needs. Then it limits how fast the gain
//! rises after a peak (release). Finally, it averages the gain over the look-ahead. So the gain
//! falls in a smooth ramp that ends where the peak begins. Near the ceiling, the signal is measured
//! with four times oversampling, which limits the true peak (ITU-R BS.1770-5, annex 2).

use super::lanes::BLOCK;

/// Highest output, linear: -1.3 dBFS. The margin of 0.3 dB below -1 dBFS covers true peaks that the
/// interpolation with twelve taps does not find.
pub(super) const CEILING: f32 = 0.860_994;
/// Length of a chunk, frames.
const CHUNK: usize = 16;
/// Length of the moving average of the gain, chunks.
const AVERAGE: usize = 6;
/// Delay of the signal, chunks. It is the length of the moving average, plus one chunk for the
/// interpolation at the edge of a chunk.
const DELAY: usize = AVERAGE + 1;
/// The lowest gain is selected among this number of chunks.
const HOLD: usize = DELAY + 1;
/// Number of filter taps for the interpolation between samples.
const TAPS: usize = 12;
/// The true peak is measured only if the sample peak is at least this high. In music, the true peak
/// is less than twice the sample peak, so below this value it cannot exceed the ceiling.
const MEASURE_FROM: f32 = 0.5 * CEILING;
/// Time constant with which the gain rises after a peak, seconds.
const RELEASE_S: f32 = 0.12;

/// Delay that the limiter adds, frames.
pub(super) const LATENCY_FRAMES: usize = DELAY * CHUNK;

/// Delays the signal until the gain for it is known.
#[derive(Debug)]
pub(super) struct Lookahead {
    delayed: [[[f32; CHUNK]; 2]; DELAY],
    /// Index of the oldest chunk in `delayed`.
    at: usize,
}

impl Lookahead {
    pub(super) const fn new() -> Self {
        Self { delayed: [[[0.0; CHUNK]; 2]; DELAY], at: 0 }
    }

    /// Delays the signal in place by [`LATENCY_FRAMES`] frames. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        let (left, _) = left.as_chunks_mut::<CHUNK>();
        let (right, _) = right.as_chunks_mut::<CHUNK>();
        for (l, r) in left.iter_mut().zip(right) {
            self.chunk(l, r);
        }
    }

    #[inline(always)]
    fn chunk(&mut self, left: &mut [f32; CHUNK], right: &mut [f32; CHUNK]) {
        let [old_left, old_right] = &mut self.delayed[self.at];
        std::mem::swap(left, old_left);
        std::mem::swap(right, old_right);
        self.at = (self.at + 1) % DELAY;
    }
}

/// A stereo look-ahead limiter.
#[derive(Debug)]
pub(super) struct Limiter {
    lookahead: Lookahead,
    /// Last samples of each channel, which the interpolation at the start of the next chunk needs.
    tail: [[f32; TAPS - 1]; 2],
    /// Three filters. They interpolate at a quarter, a half and three quarters of the way from one
    /// sample to the next.
    phases: [[f32; TAPS]; 3],
    needed: [f32; HOLD],
    smoothed: [f32; AVERAGE],
    /// Counter of chunks. The indices of all ring buffers are derived from it.
    chunk: usize,
    gain: f32,
    release: f32,
}

impl Limiter {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        Self {
            lookahead: Lookahead::new(),
            tail: [[0.0; TAPS - 1]; 2],
            phases: [0.25, 0.5, 0.75].map(phase),
            needed: [1.0; HOLD],
            smoothed: [1.0; AVERAGE],
            chunk: 0,
            gain: 1.0,
            release: 1.0 - (-(CHUNK as f32) / (RELEASE_S * sample_rate_hz)).exp(),
        }
    }

    /// Limits a block in place. Returns the gain of each frame. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) -> [f32; BLOCK] {
        let mut gains = [0.0; BLOCK];
        let (left, _) = left.as_chunks_mut::<CHUNK>();
        let (right, _) = right.as_chunks_mut::<CHUNK>();
        for ((l, r), gains) in left.iter_mut().zip(right).zip(gains.as_chunks_mut::<CHUNK>().0) {
            self.chunk(l, r, gains);
        }
        gains
    }

    #[inline(always)]
    fn chunk(&mut self, left: &mut [f32; CHUNK], right: &mut [f32; CHUNK], gains: &mut [f32; CHUNK]) {
        let [tail_left, tail_right] = &mut self.tail;
        let peak = peak(left, tail_left, &self.phases).max(peak(right, tail_right, &self.phases));
        let needed = if peak > CEILING { CEILING / peak } else { 1.0 };
        let n = self.chunk;
        self.chunk = n.wrapping_add(1) % (HOLD * AVERAGE);
        self.needed[n % HOLD] = needed;
        let hold = self.needed.iter().fold(1.0_f32, |a, &b| a.min(b));
        let last = self.smoothed[(n + AVERAGE - 1) % AVERAGE];
        self.smoothed[n % AVERAGE] = hold.min(last + self.release * (1.0 - last));
        let next = self.smoothed.iter().sum::<f32>() / AVERAGE as f32;
        let slope = (next - self.gain) / CHUNK as f32;
        self.lookahead.chunk(left, right);
        for i in 0..CHUNK {
            gains[i] = self.gain + slope * (i + 1) as f32;
            left[i] = (left[i] * gains[i]).clamp(-CEILING, CEILING);
            right[i] = (right[i] * gains[i]).clamp(-CEILING, CEILING);
        }
        self.gain = next;
    }
}

/// Taps of a windowed sinc filter that interpolates `offset` (0..1) samples after the middle tap.
/// The taps sum to 1.
fn phase(offset: f32) -> [f32; TAPS] {
    let half = (TAPS / 2) as f32;
    let taps: [f32; TAPS] = std::array::from_fn(|k| {
        let t = std::f32::consts::PI * (k as f32 - (half - 1.0) - offset);
        t.sin() / t * (t / (2.0 * half)).cos().powi(2)
    });
    let sum: f32 = taps.iter().sum();
    taps.map(|tap| tap / sum)
}

/// Peak magnitude of a chunk. If it is at least [`MEASURE_FROM`], the signal is also interpolated
/// between the samples. The interpolated values are six frames late, so `DELAY` has an extra chunk.
#[inline(always)]
fn peak(chunk: &[f32; CHUNK], tail: &mut [f32; TAPS - 1], phases: &[[f32; TAPS]; 3]) -> f32 {
    let mut x = [0.0; CHUNK + TAPS - 1];
    x[..TAPS - 1].copy_from_slice(tail);
    x[TAPS - 1..].copy_from_slice(chunk);
    tail.copy_from_slice(&chunk[CHUNK - TAPS + 1..]);
    let sample_peak = highest(&x);
    if sample_peak < MEASURE_FROM {
        return sample_peak;
    }
    phases.iter().fold(sample_peak, |peak, taps| {
        let mut between = [0.0; CHUNK];
        for (k, tap) in taps.iter().enumerate() {
            for (i, sum) in between.iter_mut().enumerate() {
                *sum += tap * x[i + k];
            }
        }
        peak.max(highest(&between))
    })
}

/// Highest magnitude of all samples. Real-time safe.
#[inline(always)]
pub(super) fn highest(samples: &[f32]) -> f32 {
    // The samples contain no NaN. `f32::max` needs several instructions, because it handles NaN.
    let higher = |a: f32, b: f32| if a > b { a } else { b };
    // The maximum is computed in eight parts, because the compiler can then use vector
    // instructions. Three more rounds of comparisons combine the eight parts.
    let (eights, rest) = samples.as_chunks::<8>();
    let mut peaks = [0.0_f32; 8];
    for eight in eights {
        for (peak, x) in peaks.iter_mut().zip(eight) {
            *peak = higher(x.abs(), *peak);
        }
    }
    for (peak, x) in peaks.iter_mut().zip(rest) {
        *peak = higher(x.abs(), *peak);
    }
    let fours: [f32; 4] = std::array::from_fn(|n| higher(peaks[n], peaks[n + 4]));
    higher(higher(fours[0], fours[2]), higher(fours[1], fours[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: impl Fn(usize) -> f32, frames: usize) -> Vec<f32> {
        let mut limiter = Limiter::new(48_000.0);
        let mut out = Vec::new();
        for block in 0..frames / BLOCK {
            let mut left = std::array::from_fn(|i| input(block * BLOCK + i));
            let mut right = left;
            limiter.render(&mut left, &mut right);
            assert_eq!(left, right);
            out.extend(left);
        }
        out
    }

    fn sine(freq_hz: f32, amplitude: f32) -> impl Fn(usize) -> f32 {
        move |i| amplitude * (std::f32::consts::TAU * freq_hz * i as f32 / 48_000.0).sin()
    }

    #[test]
    fn quiet_sound_passes_unchanged_after_the_latency() {
        let input = sine(440.0, 0.8);
        let out = run(&input, 9600);
        for (i, x) in out[LATENCY_FRAMES..].iter().enumerate() {
            assert!((x - input(i)).abs() < 1e-6);
        }
    }

    #[test]
    fn the_lookahead_reduces_gain_before_peaks() {
        // The input is silence, followed by a burst that is 20 dB too loud. If the gain fell too
        // late, the first crest of the burst would be flattened.
        let input = |i| if i < 4803 { 0.0 } else { sine(500.0, 8.0)(i) };
        let out = run(input, 19_200);
        let peak = out.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!(peak <= CEILING && peak > 0.95 * CEILING, "{peak}");
        let flat = out.windows(2).filter(|w| w[0].abs() > 0.999 * CEILING && w[0] == w[1]).count();
        assert_eq!(flat, 0);
    }

    #[test]
    fn the_limiter_recovers_within_a_second() {
        let input = |i| if i < 4800 { sine(500.0, 4.0)(i) } else { sine(500.0, 0.2)(i) };
        let out = run(input, 57_600);
        let late = out[48_000..].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!((late - 0.2).abs() < 2e-3, "{late}");
    }
}
