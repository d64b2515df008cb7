//! Finds clicks: sudden jumps in a sound, and notes that are cut off.
//!
//! A jump is a click if it meets two conditions. The fourth difference of a channel is at least
//! [`MIN_DIFFERENCE`], which corresponds to a jump of about 0.002 (-54 dBFS). The fourth difference
//! is also at least [`MIN_RATIO`] times the largest one within 25 ms, not counting the nearest
//! millisecond. The fourth difference amplifies a jump nearly three times, and attenuates a tone of
//! 2 kHz by 46 dB. Because of the second condition, two kinds of jumps do not count as clicks. They
//! are the start of a sound that continues, such as a noise hit, and regular edges, such as the
//! edges of a saw wave.

use crate::adapter::RATE_HZ;

/// Lowest fourth difference that can be a click, relative to full scale.
const MIN_DIFFERENCE: f32 = 0.006;
/// A click's fourth difference must be at least this many times the largest fourth difference in
/// its surroundings.
const MIN_RATIO: f32 = 4.0;
/// Length of the surroundings before and after a click, in samples: 25 ms.
const CONTEXT_SAMPLES: usize = RATE_HZ as usize / 40;
/// Samples on each side of a click that do not count as its surroundings: 1 ms.
const NEIGHBOUR_SAMPLES: usize = RATE_HZ as usize / 1000;

/// A discontinuity in the sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Click {
    /// Time from the start, seconds.
    pub at_s: f64,
    /// Size of the jump: the fourth difference of the samples at the click, relative to full scale.
    pub size: f32,
}

/// Finds the clicks in interleaved stereo. Returns them in order of time.
pub fn clicks(samples: &[f32]) -> Vec<Click> {
    let mut found: Vec<Click> = (0..2).flat_map(|channel| in_channel(samples, channel)).collect();
    found.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    let apart_s = NEIGHBOUR_SAMPLES as f64 / f64::from(RATE_HZ);
    found.dedup_by(|next, last| next.at_s - last.at_s < apart_s);
    found
}

fn in_channel(samples: &[f32], channel: usize) -> Vec<Click> {
    let channel: Vec<f32> = samples.iter().copied().skip(channel).step_by(2).collect();
    let rough: Vec<f32> =
        channel.windows(5).map(|x| (x[0] - 4.0 * x[1] + 6.0 * x[2] - 4.0 * x[3] + x[4]).abs()).collect();
    let most = |from: usize, to: usize| {
        let to = to.min(rough.len());
        rough[from.min(to)..to].iter().copied().fold(0.0, f32::max)
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < rough.len() {
        let size = rough[at];
        let before = || most(at.saturating_sub(CONTEXT_SAMPLES), at.saturating_sub(NEIGHBOUR_SAMPLES));
        let after = || most(at + NEIGHBOUR_SAMPLES + 1, at + CONTEXT_SAMPLES + 1);
        let is_peak = || size >= most(at.saturating_sub(NEIGHBOUR_SAMPLES), at + NEIGHBOUR_SAMPLES + 1);
        if size >= MIN_DIFFERENCE && is_peak() && size >= MIN_RATIO * before().max(after()) {
            found.push(Click { at_s: at as f64 / f64::from(RATE_HZ), size });
            at += NEIGHBOUR_SAMPLES;
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stereo(seconds: f64, sample: impl Fn(f64) -> f64) -> Vec<f32> {
        let rate = f64::from(RATE_HZ);
        (0..(seconds * rate) as usize).flat_map(|i| [sample(i as f64 / rate) as f32; 2]).collect()
    }

    fn sine(hz: f64, t: f64) -> f64 {
        (std::f64::consts::TAU * hz * t).sin()
    }

    fn chord(t: f64) -> f64 {
        0.1 * (sine(146.8, t) + sine(220.0, t) + sine(1760.0, t)) + 0.02 * sine(5000.0, t)
    }

    #[test]
    fn a_jump_of_a_hundredth_is_located() {
        let found = clicks(&stereo(2.0, |t| chord(t) + if t > 1.0 { 0.01 } else { 0.0 }));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].at_s - 1.0).abs() < 0.001, "{found:?}");
    }

    #[test]
    fn a_cut_note_is_a_click() {
        let found = clicks(&stereo(2.0, |t| chord(t) + if t < 1.0003 { 0.2 * sine(440.0, t) } else { 0.0 }));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_single_wrong_sample_is_found() {
        let mut samples = stereo(1.0, chord);
        samples[48_000] += 0.01;
        assert_eq!(clicks(&samples).len(), 1);
    }

    #[test]
    fn short_fades_are_no_clicks() {
        let gate = |t: f64| ((t % 0.25) / 0.004).min((0.2 - t % 0.25) / 0.005).clamp(0.0, 1.0);
        assert_eq!(clicks(&stereo(4.0, |t| chord(t) + 0.3 * gate(t) * sine(659.3, t))), []);
    }

    #[test]
    fn noise_beats_and_saws_are_no_clicks() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<f64> = (0..4 * RATE_HZ).map(|_| random.f64() - 0.5).collect();
        let beat = |t: f64| (-(t % 0.25) / 0.03).exp() * 0.3 * noise[(t * f64::from(RATE_HZ)) as usize];
        assert_eq!(clicks(&stereo(3.9, |t| chord(t) + beat(t))), []);
        // This saw wave of 65.4 Hz has harmonics up to 12 kHz, and an edge every 15 ms.
        let saw = |t: f64| (1..180).map(|n| sine(65.4 * f64::from(n), t) / f64::from(n)).sum::<f64>();
        assert_eq!(clicks(&stereo(2.0, |t| 0.2 * saw(t))), []);
    }
}
