//! `GET /api/clips`: examples of the sounds of machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Examples of the sounds of machines.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClipList {
    /// The examples.
    pub clips: Vec<ClipInfo>,
}

/// An example.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClipInfo {
    /// Name of the scenario.
    pub scenario: String,
    /// What the machine does, in words.
    pub title: String,
    /// How the scenario sounds, in words.
    pub listen_for: String,
    /// Length, seconds.
    pub seconds: f64,
    /// Path of the sound on this server.
    pub file: String,
}
