//! Recordings: `GET /api/recording`, `GET /api/recordings`, `POST /api/recording/start` and `stop`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Trouble,
    trouble::{self, TroubleFields},
};

/// The current or last recording.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct RecordingStatus {
    /// Whether the recording is running.
    pub recording: bool,
    /// The file; `null` if nothing was recorded since the engine started.
    pub file: Option<String>,
    /// Length so far, seconds.
    pub seconds: f64,
    /// Blocks of sound that are missing because the disk was too slow.
    pub lost_blocks: u64,
    /// Missing sound, seconds: the lost blocks, and sound that a busy machine did not pass on in
    /// time.
    pub lost_seconds: f64,
    /// Why khor ended the recording by itself.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// A recording has begun.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RecordingStarted {
    /// Always true.
    pub ok: bool,
    /// The file's path.
    pub file: String,
}

/// A recording has ended.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct RecordingStopped {
    /// Always true.
    pub ok: bool,
    /// The file's path.
    pub file: Option<String>,
    /// Length, seconds.
    pub seconds: f64,
}

/// The recordings in khor's folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RecordingList {
    /// The folder's path.
    pub folder: String,
    /// The recordings, oldest first.
    pub recordings: Vec<RecordedFile>,
}

/// A file in the folder of recordings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RecordedFile {
    /// The file's name, for `GET /api/recordings/{name}`.
    pub name: String,
    /// The file's length, bytes.
    pub bytes: u64,
}
