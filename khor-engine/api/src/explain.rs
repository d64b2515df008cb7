//! Types of `GET /api/explain`, which describes in words what khor plays and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A description of what khor plays and why, in words.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Explanation {
    /// One sentence about the current activity of the machine.
    pub sentence: String,
    /// The signals that stand out from their baseline, the largest deviation first, at most five.
    pub standing_out: Vec<DeviatingSignal>,
    /// The parts of the music that are playing, each with its cause.
    pub heard: Vec<SoundPart>,
    /// The whole explanation as text, in lines of at most 80 characters. `khor explain` prints this
    /// text.
    pub text: String,
}

/// A signal that stands out from its baseline.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DeviatingSignal {
    /// Name of the signal.
    pub signal: String,
    /// Display name of the signal, two or three words, such as `received`.
    pub label: String,
    /// The current rate with its unit, such as `24.1 MB/s`.
    pub rate: String,
    /// The baseline (the usual rate) with its unit.
    pub ordinary: String,
    /// How many octaves the rate is above the baseline.
    pub deviation: f32,
    /// The rate divided by the baseline. `null` if the baseline is 0, or if the signal summarises
    /// the hosts of a site.
    pub times: Option<f64>,
    /// Level of the signal, 0 to 1.
    pub level: f32,
}

/// A part of the music that is playing, and the signals that cause it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SoundPart {
    /// Layer of the music: `bed`, `pulse` or `voice`.
    pub layer: String,
    /// How this part of the music sounds, in words.
    pub what: String,
    /// Which signals cause this part of the music, in words.
    pub because: String,
}
