//! Renders stems. A stem is the share of one role in the mix. It has its own effects, but uses the
//! gain that the limiter computed for the mix.

use khor_music::Role;

use super::{
    effects::{Effects, Sides},
    group::Buses,
    lanes::BLOCK,
    limiter::Lookahead,
    master::Mute,
};

/// Number of stems: one for each role.
const STEMS: usize = Role::ALL.len();

/// Stereo samples of the mix and of the stems. All channels have the same length.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Left channel of the mix.
    pub left: Vec<f32>,
    /// Right channel of the mix.
    pub right: Vec<f32>,
    /// Left and right channel of each stem, in the order of [`khor_music::Role::ALL`]. The list is
    /// empty without stems. The stems add up to the mix, except for rounding errors.
    pub stems: Vec<[Vec<f32>; 2]>,
}

impl Samples {
    /// Creates silent samples with this number of frames and stems.
    pub fn silence(frames: usize, stems: usize) -> Self {
        let channel = || vec![0.0; frames];
        let stems = (0..stems).map(|_| [channel(), channel()]).collect();
        Self { left: channel(), right: channel(), stems }
    }

    /// Corrects rounding errors. Afterwards, the stems add up to the mix and stay within -1..=1,
    /// the range of samples in a file.
    pub fn correct_stems(&mut self) {
        let Self { left, right, stems } = self;
        let Ok(stems) = <&mut [_; STEMS]>::try_from(&mut stems[..]) else { return };
        for (side, mix) in [left, right].into_iter().enumerate() {
            for (i, &mut mix) in mix.iter_mut().enumerate() {
                let parts = corrected(mix, stems.each_ref().map(|stem| stem[side][i]));
                stems.iter_mut().zip(parts).for_each(|(stem, part)| stem[side][i] = part);
            }
        }
    }

    /// The mix as interleaved stereo.
    pub fn interleaved(&self) -> impl Iterator<Item = f32> {
        self.left.iter().zip(&self.right).flat_map(|(&left, &right)| [left, right])
    }
}

/// Corrects one sample of each stem, so that the stems add up to the mix. The rounding error is
/// below -110 dBFS and is added to the loudest stem. While the limiter strongly reduces the mix,
/// the loudest stem may exceed -1..=1, the range of samples in a file. The excess is then moved to
/// another stem.
fn corrected(mix: f32, mut parts: [f32; STEMS]) -> [f32; STEMS] {
    let loudest = highest(parts.map(f32::abs));
    parts[loudest] += mix - parts.iter().sum::<f32>();
    let over = parts[loudest] - parts[loudest].clamp(-1.0, 1.0);
    if over != 0.0 {
        let against = highest(parts.map(|part| -part * over));
        parts[loudest] -= over;
        parts[against] += over;
    }
    parts
}

/// Index of the highest value.
fn highest(values: [f32; STEMS]) -> usize {
    (1..STEMS).fold(0, |best, n| if values[n] > values[best] { n } else { best })
}

/// The effects and the output of a stem. Memory is allocated once.
#[derive(Debug)]
pub(super) struct Stem {
    pub(super) effects: Effects,
    lookahead: Lookahead,
    pub(super) mute: Mute,
    /// The last block that was rendered.
    pub(super) ready: Sides,
}

impl Stem {
    pub(super) fn new(sample_rate_hz: f32) -> Self {
        Self {
            effects: Effects::new(sample_rate_hz),
            lookahead: Lookahead::new(),
            mute: Mute::new(sample_rate_hz),
            ready: [[0.0; BLOCK]; 2],
        }
    }

    /// Computes the stem's next block from the buses of its voices. `gains` are the gains that the
    /// limiter computed for the mix. Real-time safe.
    #[inline(always)]
    pub(super) fn render(&mut self, buses: Option<&Buses>, gains: &[f32; BLOCK]) {
        let [mut left, mut right] = self.effects.render(buses);
        self.lookahead.render(&mut left, &mut right);
        for i in 0..BLOCK {
            left[i] *= gains[i];
            right[i] *= gains[i];
        }
        self.mute.render(&mut left, &mut right);
        self.ready = [left, right];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stem_rounding_errors_are_redistributed() {
        let near = |a: [f32; STEMS], b: [f32; STEMS]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(corrected(0.31, [0.1, -0.5, 0.7, 0.0]), [0.1, -0.5, 0.71, 0.0]));
        assert!(near(corrected(0.0, [-1.25, 0.5, 0.75, 0.0]), [-1.0, 0.5, 0.5, 0.0]));
        assert!(near(corrected(0.8, [1.5, -1.25, 0.0, 0.55]), [1.0, -0.75, 0.0, 0.55]));
    }
}
