//! Ranks a lane by its deviation. The rank changes in steps with hysteresis.

use khor_signal::Lane;

use super::quantise::Quantiser;

/// Highest rank. A lane has this rank if its deviation is about `OCTAVES_OF_RANKS` or higher. One
/// rank is half an octave.
const RANKS: u8 = 24;
const OCTAVES_OF_RANKS: f32 = 12.0;
/// Number of steps into which surprise is quantised.
const SURPRISE_STEPS: u8 = 4;
/// A lane changes unexpectedly if its surprise is above this step.
const EXPECTED_STEP: u8 = 1;

/// The rank and the surprise of one lane.
#[derive(Clone, Debug)]
pub(super) struct LaneRank {
    rank: Quantiser,
    surprise: Quantiser,
}

impl Default for LaneRank {
    fn default() -> Self {
        Self { rank: Quantiser::new(RANKS), surprise: Quantiser::new(SURPRISE_STEPS) }
    }
}

impl LaneRank {
    /// Updates rank and surprise from the lane. A missing lane gets rank 0.
    pub(super) fn update(&mut self, lane: Option<Lane>) {
        let lane = lane.unwrap_or_default();
        let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
        self.rank.update(finite(lane.deviation) / OCTAVES_OF_RANKS);
        self.surprise.update(finite(lane.surprise));
    }

    /// The rank: the number of half octaves above the baseline, 0..=24.
    pub(super) const fn rank(&self) -> u8 {
        self.rank.get()
    }

    /// Whether the lane is changing unexpectedly, which means that its surprise is above
    /// [`EXPECTED_STEP`].
    pub(super) const fn is_surprising(&self) -> bool {
        self.surprise.get() > EXPECTED_STEP
    }
}
