//! Types of `GET /api/clips`: examples of how a machine's activity sounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The clips: examples of how a machine's activity sounds.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClipList {
    /// The clips.
    pub clips: Vec<ClipInfo>,
}

/// A clip: an example of how one scenario sounds, such as a busy disk.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClipInfo {
    /// Name of the scenario, such as `idle`.
    pub scenario: String,
    /// What the machine does in the scenario, in words.
    pub title: String,
    /// How the scenario sounds, in words.
    pub listen_for: String,
    /// Length of the clip, seconds.
    pub seconds: f64,
    /// Path of the clip's WAV file on this server.
    pub file: String,
}
