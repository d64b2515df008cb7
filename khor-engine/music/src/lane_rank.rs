//! Ranks how far a lane stands out, in steps with hysteresis.

use khor_signal::Lane;

use super::quantise::Quantiser;

/// Highest rank. A rank is half an octave of deviation, so this is 12 octaves.
const RANKS: u8 = 24;
const OCTAVES_OF_RANKS: f32 = 12.0;
/// Steps of surprise.
const SURPRISE_STEPS: u8 = 4;
/// The step of surprise above which a change is unexpected.
const EXPECTED_STEP: u8 = 1;

/// How far one lane stands out.
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
    /// Updates the rank from the lane's state in one step. A missing lane does not stand out.
    pub(super) fn update(&mut self, lane: Option<Lane>) {
        let lane = lane.unwrap_or_default();
        let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
        self.rank.update(finite(lane.deviation) / OCTAVES_OF_RANKS);
        self.surprise.update(finite(lane.surprise));
    }

    /// Half octaves above its baseline, 0..=24.
    pub(super) const fn rank(&self) -> u8 {
        self.rank.get()
    }

    /// Whether the lane changes unexpectedly.
    pub(super) const fn is_surprising(&self) -> bool {
        self.surprise.get() > EXPECTED_STEP
    }
}
