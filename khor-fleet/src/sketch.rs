//! Sketches: how one quantity is spread over many hosts, in bins whose sums are sketches again.
//!
//! Values are whole numbers of steps, and bins are as wide as a share of what is in them: those of
//! `parts` a doubling. Numbers below two times `parts` have a bin each, so they are exact; above, a
//! bin's middle is at most `1 / (2 × parts)` of the value away ([`relative_error`]). That is the
//! layout of an HDR histogram with 16 parts (one significant digit), so such a library reads and
//! writes it.

use serde::{Deserialize, Serialize};

/// Most parts of a doubling: values are known to 1/32.
pub const MAX_PARTS: u8 = 16;
/// Largest number of steps; what is larger counts as that.
pub const MAX_STEPS: u64 = 1 << 60;

/// Steps of a unit of rates and baselines.
const RATE_STEPS: f64 = 1e6;
/// Octaves below 0 at which a deviation is one step, and those beyond which it counts as so far.
const DEVIATION_OCTAVES: f64 = 20.0;
const MAX_DEVIATION: f64 = 16.0;
/// Steps of the share 1.
const SHARE_STEPS: f64 = 255.0;

/// How many hosts' values were in which bin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// Of each bin that holds any: how many bins after the one before it (the first: after bin 0),
    /// and how many values.
    pub bins: Vec<(u32, u32)>,
}

/// What steps stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Rates and baselines: a step is a millionth of the signal's unit.
    Rate,
    /// Deviations: the ratio that they are, in 2⁻²⁰; those beyond ±16 octaves count as 16.
    Deviation,
    /// Levels, surprise and what is learnt: a step is a 255th.
    Share,
}

impl Quantity {
    /// In steps: a rate in its unit, a deviation in octaves, a share of 1.
    pub fn steps(self, value: f64) -> u64 {
        let steps = match self {
            Self::Rate => value * RATE_STEPS,
            Self::Deviation => (value.clamp(-MAX_DEVIATION, MAX_DEVIATION) + DEVIATION_OCTAVES).exp2(),
            Self::Share => value.min(1.0) * SHARE_STEPS,
        };
        // What is negative or no number becomes 0.
        (steps.round() as u64).min(self.max_steps())
    }

    /// The value that steps stand for.
    pub fn value(self, steps: u64) -> f64 {
        let steps = steps as f64;
        match self {
            Self::Rate => steps / RATE_STEPS,
            Self::Deviation => (steps.max(1.0)).log2() - DEVIATION_OCTAVES,
            Self::Share => steps / SHARE_STEPS,
        }
    }

    /// The most steps there can be.
    pub const fn max_steps(self) -> u64 {
        match self {
            Self::Rate => MAX_STEPS,
            Self::Deviation => 1 << 36,
            Self::Share => 255,
        }
    }
}

/// The largest distance between a value and the value of its bin, as a share of it.
pub fn relative_error(parts: u8) -> f64 {
    0.5 / f64::from(parts)
}

/// The bin of a value; `parts` is a power of two.
pub fn bin(steps: u64, parts: u8) -> u32 {
    let parts = u64::from(parts);
    if steps < 2 * parts {
        return steps as u32;
    }
    let doublings = steps.ilog2() - parts.ilog2();
    (u64::from(doublings) * parts + (steps >> doublings)) as u32
}

/// The middle of a bin, steps.
pub fn middle(bin: u32, parts: u8) -> u64 {
    let (bin, parts) = (u64::from(bin), u64::from(parts));
    if bin < 2 * parts {
        return bin;
    }
    let doublings = bin / parts - 1;
    ((bin - doublings * parts) << doublings) + (1 << doublings) / 2
}

impl Sketch {
    /// From values in ascending order, each with how many there are of it.
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

    /// The middles of its bins in ascending order, steps, each with how many values are in it.
    pub fn values(&self, parts: u8) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.bins.iter().scan(0u32, move |bin_now, (gap, count)| {
            *bin_now += gap;
            Some((middle(*bin_now, parts), *count))
        })
    }

    /// Whether its bins are ones that [`bin`] gives, in order.
    pub(crate) fn is_sound(&self, parts: u8) -> bool {
        let most = bin(MAX_STEPS, parts);
        let mut at = 0u32;
        self.bins.iter().enumerate().all(|(i, (gap, _))| {
            at = at.saturating_add(*gap);
            (i == 0 || *gap > 0) && at <= most
        })
    }
}
