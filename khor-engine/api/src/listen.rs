//! The text messages of the WebSocket `GET /api/listen`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format of the sound in the binary messages that follow. The server sends it first, and again
/// when it changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SoundFormat {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Number of channels: always 2, left and right.
    pub channels: u16,
    /// Format of a sample: `s16le`, a signed 16-bit integer, low byte first.
    pub format: String,
}
