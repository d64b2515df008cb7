//! Types of `GET /api/mapping`: the words that are allowed in the mapping of a preset.

use khor_music::{Curve, LaneValue, Polarity};
use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The words that are allowed in the mapping of a preset. A mapping connects signals to features of
/// the music.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct MappingVocabulary {
    /// The inputs: every signal, and `work`, which is all signals together.
    pub inputs: Vec<InputInfo>,
    /// The features of the music that an input can change.
    pub features: Vec<FeatureInfo>,
    /// The kinds of value that an input has, such as its level. A mapping selects one of them.
    pub of: Vec<LaneValue>,
    /// The curves that convert the value of an input to the value of a feature.
    pub curves: Vec<Curve>,
    /// The directions in which a feature can change when an input rises.
    pub polarities: Vec<Polarity>,
}

/// An input of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct InputInfo {
    /// Name of the input in a mapping.
    pub name: String,
    /// Display name of the input, two or three words.
    pub label: String,
    /// Family of the signal; `null` for `work`, which is all signals together.
    pub family: Option<Family>,
}

/// A feature of the music that an input can change.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FeatureInfo {
    /// Name of the feature in a mapping, such as `bed.brightness`.
    pub name: String,
    /// Layer of the music: `bed`, `pulse`, `voices` or `room`.
    pub layer: String,
    /// Unit of `low`, `high` and `audible_step`.
    pub unit: String,
    /// Lowest allowed value of the feature.
    pub low: f32,
    /// Highest allowed value of the feature.
    pub high: f32,
    /// Smallest change of the feature that a listener can hear.
    pub audible_step: f32,
    /// What the feature changes in the sound, in words.
    pub meaning: String,
}
