//! Types of the answers about recordings: `/api/recording`, `/api/recordings`, and starting and
//! stopping a recording.

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
    /// Whether a recording is running.
    pub recording: bool,
    /// Path of the recording's file; `null` if there was no recording since the engine started.
    pub file: Option<String>,
    /// Length of the recording so far, seconds.
    pub seconds: f64,
    /// Number of blocks of sound that the recording lacks because the disk was too slow.
    pub lost_blocks: u64,
    /// Total length of the sound that the recording lacks, seconds. It includes the lost blocks,
    /// and sound that the recorder did not receive in time because the machine was busy.
    pub lost_seconds: f64,
    /// Why khor ended the recording although no client requested this.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// The answer of `POST /api/recording/start`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RecordingStarted {
    /// Always true.
    pub ok: bool,
    /// Path of the recording's file.
    pub file: String,
}

/// The answer of `POST /api/recording/stop`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct RecordingStopped {
    /// Always true.
    pub ok: bool,
    /// Path of the recording's file.
    pub file: Option<String>,
    /// Length of the recording, seconds.
    pub seconds: f64,
}

/// The recordings in khor's folder for recordings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RecordingList {
    /// Path of the folder.
    pub folder: String,
    /// The recordings, oldest first.
    pub recordings: Vec<RecordedFile>,
}

/// A recording in khor's folder for recordings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RecordedFile {
    /// Name of the file, for `GET /api/recordings/{name}`.
    pub name: String,
    /// Size of the file, bytes.
    pub bytes: u64,
}
