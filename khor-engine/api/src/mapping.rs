//! `GET /api/mapping`: the words that a preset's mapping may use.

use khor_music::{Curve, LaneValue, Polarity};
use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The words that a preset's mapping may use.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct MappingVocabulary {
    /// The inputs: every signal, and `work`.
    pub inputs: Vec<InputInfo>,
    /// The features of the music that an input can move.
    pub features: Vec<FeatureInfo>,
    /// The values of an input that can move a feature.
    pub of: Vec<LaneValue>,
    /// The curves from an input to a feature.
    pub curves: Vec<Curve>,
    /// The directions in which an input can move a feature.
    pub polarities: Vec<Polarity>,
}

/// An input of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct InputInfo {
    /// Name in the mapping.
    pub name: String,
    /// Two or three plain words.
    pub label: String,
    /// Family of the signal; `null` for `work`, which is all signals together.
    pub family: Option<Family>,
}

/// A feature of the music that an input can move.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FeatureInfo {
    /// Name in the mapping, such as `bed.brightness`.
    pub name: String,
    /// `bed`, `pulse`, `voices` or `room`.
    pub layer: String,
    /// Unit of `low`, `high` and `audible_step`.
    pub unit: String,
    /// Lowest value.
    pub low: f32,
    /// Highest value.
    pub high: f32,
    /// Smallest difference that a listener can hear.
    pub audible_step: f32,
    /// What changes in the sound, in words.
    pub meaning: String,
}
