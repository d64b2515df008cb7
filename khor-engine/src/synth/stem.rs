//! A stem: one role's share of the mix, through effects of its own and turned down as the mix is.

use super::effects::{Effects, Sides};
use super::group::Buses;
use super::lanes::BLOCK;
use super::limiter::Lookahead;
use super::master::Mute;

/// Stereo samples, all of the same length.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// The mix's left.
    pub left: Vec<f32>,
    /// The mix's right.
    pub right: Vec<f32>,
    /// Left and right of each stem in the order of [`crate::music::Role::ALL`], or none: they add up to the mix, but
    /// for rounding.
    pub stems: Vec<[Vec<f32>; 2]>,
}

impl Samples {
    /// Silence for so many frames, with so many stems.
    pub fn silence(frames: usize, stems: usize) -> Self {
        let channel = || vec![0.0; frames];
        let stems = (0..stems).map(|_| [channel(), channel()]).collect();
        Self { left: channel(), right: channel(), stems }
    }

    /// Gives what rounding has left over to the loudest stem of each sample, so that they add up to the mix whatever
    /// the rounding. That is below -110 dBFS, and far below what it is added to.
    pub fn settle(&mut self) {
        for (side, mix) in [&self.left, &self.right].into_iter().enumerate() {
            for (i, &mix) in mix.iter().enumerate() {
                let rest = mix - self.stems.iter().map(|stem| stem[side][i]).sum::<f32>();
                let loudest = self.stems.iter_mut().map(|stem| &mut stem[side][i]);
                if let Some(loudest) = loudest.max_by(|a, b| a.abs().total_cmp(&b.abs())) {
                    *loudest += rest;
                }
            }
        }
    }

    /// The mix, left and right in turn.
    pub fn interleaved(&self) -> impl Iterator<Item = f32> {
        self.left.iter().zip(&self.right).flat_map(|(&left, &right)| [left, right])
    }
}

/// All after the voices. Memory is allocated once.
#[derive(Debug)]
pub(super) struct Stem {
    pub(super) effects: Effects,
    lookahead: Lookahead,
    pub(super) mute: Mute,
    /// The last computed block.
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

    /// Computes the next block of what its voices became, with the gains that the limiter gave the mix.
    /// Audio thread; no allocation.
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
