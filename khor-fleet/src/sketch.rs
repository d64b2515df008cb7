//! Sketches: histograms of one quantity over many hosts. The sum of two sketches is a sketch.
//!
//! A value is a whole number of steps. The bins are logarithmic: each doubling of the value is
//! divided into `parts` bins. Each value below `2 × parts` has its own bin, so these values are
//! exact. The middle of any other bin differs from a value in the bin by at most `1 / (2 × parts)`
//! of the value ([`relative_error`]). With 16 parts, this is the layout of an HDR histogram with
//! one significant digit, so a library for HDR histograms can read and write sketches.

use serde::{Deserialize, Serialize};

/// Maximum number of bins in each doubling of a value. The relative error is then 1/32.
pub const MAX_PARTS: u8 = 16;
/// Largest number of steps. Larger values are clamped to it.
pub const MAX_STEPS: u64 = 1 << 60;

/// A rate or baseline of 1, in the unit of its signal, is this many steps.
const RATE_STEPS: f64 = 1e6;
/// A rate that is this many octaves below its baseline is one step.
const DEVIATION_OCTAVES: f64 = 20.0;
/// Deviations are clamped to plus or minus this many octaves.
const MAX_DEVIATION: f64 = 16.0;
/// A share of 1 is this many steps.
const SHARE_STEPS: f64 = 255.0;

/// The number of values in each bin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// The bins that contain values, in ascending order. The first number of a pair is the distance
    /// from the previous bin in this list; for the first pair, it is the distance from bin 0. The
    /// second number is the number of values in the bin.
    pub bins: Vec<(u32, u32)>,
}

/// The kind of values in a sketch, which determines what one step means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Rates and baselines: a step is a millionth of the signal's unit.
    Rate,
    /// Deviations, stored as the ratio of the rate to the baseline: a step is a ratio of 2⁻²⁰.
    /// Deviations are clamped to ±16 octaves.
    Deviation,
    /// Levels, surprises and learned shares of baselines: a step is 1/255.
    Share,
}

impl Quantity {
    /// Converts a value to steps. The value is a rate in its unit, a deviation in octaves, or a
    /// share of 0..=1.
    pub fn steps(self, value: f64) -> u64 {
        let steps = match self {
            Self::Rate => value * RATE_STEPS,
            Self::Deviation => (value.clamp(-MAX_DEVIATION, MAX_DEVIATION) + DEVIATION_OCTAVES).exp2(),
            Self::Share => value.min(1.0) * SHARE_STEPS,
        };
        // The conversion turns negative values and NaN into 0.
        (steps.round() as u64).min(self.max_steps())
    }

    /// Converts steps to a value.
    pub fn value(self, steps: u64) -> f64 {
        let steps = steps as f64;
        match self {
            Self::Rate => steps / RATE_STEPS,
            Self::Deviation => (steps.max(1.0)).log2() - DEVIATION_OCTAVES,
            Self::Share => steps / SHARE_STEPS,
        }
    }

    /// The largest number of steps that a value of this quantity can have.
    pub const fn max_steps(self) -> u64 {
        match self {
            Self::Rate => MAX_STEPS,
            Self::Deviation => 1 << 36,
            Self::Share => 255,
        }
    }
}

/// The largest difference between a value and the middle of its bin, divided by the value.
pub fn relative_error(parts: u8) -> f64 {
    0.5 / f64::from(parts)
}

/// Returns the number of the bin that contains a value. `parts` must be a power of two.
pub fn bin(steps: u64, parts: u8) -> u32 {
    let parts = u64::from(parts);
    if steps < 2 * parts {
        return steps as u32;
    }
    let doublings = steps.ilog2() - parts.ilog2();
    (u64::from(doublings) * parts + (steps >> doublings)) as u32
}

/// The middle of a bin, in steps.
pub fn middle(bin: u32, parts: u8) -> u64 {
    let (bin, parts) = (u64::from(bin), u64::from(parts));
    if bin < 2 * parts {
        return bin;
    }
    let doublings = bin / parts - 1;
    ((bin - doublings * parts) << doublings) + (1 << doublings) / 2
}

impl Sketch {
    /// Builds a sketch from values in steps, in ascending order. Each value comes with its count.
    pub fn of(values: impl Iterator<Item = (u64, u32)>, parts: u8) -> Self {
        let mut bins: Vec<(u32, u32)> = Vec::new();
        let mut last = 0;
        for (steps, count) in values {
            let bin = bin(steps, parts);
            match bins.last_mut() {
                Some((_, held)) if bin == last => *held = held.saturating_add(count),
                _ => bins.push((bin - last, count)),
            }
            last = bin;
        }
        Self { bins }
    }

    /// Returns the middle of each bin in steps, and the number of values in the bin. The bins are
    /// in ascending order.
    pub fn values(&self, parts: u8) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.bins.iter().scan(0u32, move |bin_now, (gap, count)| {
            *bin_now += gap;
            Some((middle(*bin_now, parts), *count))
        })
    }

    /// Whether the bins are in ascending order, and the last bin is one that exists with this
    /// number of `parts`.
    pub(crate) fn is_sound(&self, parts: u8) -> bool {
        let most = bin(MAX_STEPS, parts);
        let mut at = 0u32;
        self.bins.iter().enumerate().all(|(i, (gap, _))| {
            at = at.saturating_add(*gap);
            (i == 0 || *gap > 0) && at <= most
        })
    }
}
