//! `GET /api/mapping`: the words of a preset's mapping.

use khor_music::{Curve, LaneValue, Polarity};
use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The words of a preset's mapping.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct MappingVocabulary {
    /// The inputs: every signal, and `work`.
    pub inputs: Vec<InputInfo>,
    /// The features of the music that an input can move.
    pub features: Vec<FeatureInfo>,
    /// Which number of an input moves the feature.
    pub of: Vec<LaneValue>,
    /// Shapes of the way from input to feature.
    pub curves: Vec<Curve>,
    /// Directions of the feature.
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
    /// Smallest difference that listeners hear.
    pub audible_step: f32,
    /// What changes in the sound, in words.
    pub meaning: String,
}
