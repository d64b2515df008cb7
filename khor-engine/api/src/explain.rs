//! `GET /api/explain`: what plays and why, in words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What plays and why, in words.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Explanation {
    /// One sentence about the current activity.
    pub sentence: String,
    /// The signals that stand out, the largest deviation first, at most five.
    pub standing_out: Vec<DeviatingSignal>,
    /// The parts of the music.
    pub heard: Vec<SoundPart>,
    /// The whole explanation as text of at most 80 columns. `khor explain` prints it.
    pub text: String,
}

/// A signal that stands out.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DeviatingSignal {
    /// Name of the signal.
    pub signal: String,
    /// Two or three plain words, such as `received`.
    pub label: String,
    /// The rate with its unit, such as `24.1 MB/s`.
    pub rate: String,
    /// The usual rate with its unit.
    pub ordinary: String,
    /// How far the rate is above the usual rate, octaves.
    pub deviation: f32,
    /// The rate divided by the usual rate; `null` if the usual rate is 0, and for all hosts of a
    /// site together.
    pub times: Option<f64>,
    /// The signal's level, 0 to 1.
    pub level: f32,
}

/// A part of the music, and its cause.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SoundPart {
    /// `bed`, `pulse` or `voice`.
    pub layer: String,
    /// How it sounds, in words.
    pub what: String,
    /// Which signals cause it, in words.
    pub because: String,
}
