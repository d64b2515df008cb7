//! `GET /api/stream?events=changes`: the events, and the [`StreamState`] that clients build from
//! them.
//!
//! A client starts with [`StreamState::default`] and applies each event. The first events are a
//! [`Greeting`] and the whole state of the engine ([`StreamState::replicate`]). The later events
//! are changes of this state. A client that reads too slowly misses events, and the engine then
//! sends it a greeting and the whole state again.

mod state;

pub use self::state::StreamState;

use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ControlsReport, CueReport, HealthReport, NoteReport, SoloReport};

/// Largest number of notes in a [`StreamState`].
pub const MAX_NOTES: usize = 64;
/// Largest number of cues in a [`StreamState`].
pub const MAX_CUES: usize = 64;

/// A change of the engine's state. Clients must ignore events with an unknown `type`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamEvent {
    /// The first event of a connection, and the first event after the client missed events. A
    /// client that receives this event must drop its previous state.
    Greeting(Greeting),
    /// The health of every part of the engine, sent at most once per second.
    Health(Box<HealthReport>),
    /// The current controls.
    Controls(ControlsReport),
    /// The names and units of all lanes. The lanes' values follow in another event.
    Lanes(LaneList),
    /// The values of all lanes, sent ten times per second.
    Values(LaneValues),
    /// The current bar of the music.
    Bar(BarReport),
    /// The soloists: the hosts of a site whose voices play.
    Soloists(SoloistList),
    /// What the machine is doing, in one sentence.
    Sentence(SentenceReport),
    /// The version of the configuration. It changes with every change of a setting.
    Config(ConfigVersion),
    /// New cues.
    Cues(CueList),
    /// New notes.
    Notes(NoteList),
    /// An event that this version does not know, because the engine is newer.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// The version and the start time of the engine that sends the stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Greeting {
    /// Version of the engine.
    pub version: String,
    /// When the engine started, milliseconds since 1970. After a restart, the engine numbers its
    /// notes and cues from 1 again.
    pub started_ts_ms: u64,
}

/// All lanes, in the order of the catalogue.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LaneList {
    /// The lanes. The lists in a `values` event have the same order as this list.
    pub lanes: Vec<LaneReport>,
}

/// The description of a lane. A lane is a signal of the kernel, or a quantity that the source adds.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LaneReport {
    /// Name of the lane, such as `exec`.
    pub name: String,
    /// Display name of the lane, two or three words, such as `program starts`.
    pub label: String,
    /// The lane's family. Lanes of one family share a colour, a timbre and a register.
    pub family: Family,
    /// Unit of the rate and the baseline: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of
    /// time, 0 to 1).
    pub unit: String,
    /// The grain: the smallest significant difference of the rate, in `unit`, greater than 0. A
    /// rate of one grain is one octave above a rate of 0.
    pub grain: f64,
    /// Whether the source delivers the lane.
    pub available: bool,
    /// Why the lane is missing; `null` if it is available.
    pub reason: Option<String>,
}

/// The values of all lanes, in the order of the last `lanes` event, rounded to four digits. A
/// missing value is `null`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LaneValues {
    /// When the engine computed these values, milliseconds since 1970.
    pub ts_ms: u64,
    /// Level of each lane, 0 to 1.
    pub level: Vec<Option<f32>>,
    /// How many octaves the rate of each lane is above its baseline.
    pub deviation: Vec<Option<f32>>,
    /// How sudden the last change of each lane was, 0 to 1.
    pub surprise: Vec<Option<f32>>,
    /// Current rate of each lane, in the unit of the lane.
    pub rate: Vec<Option<f64>>,
    /// Usual rate of each lane, in the unit of the lane.
    pub baseline: Vec<Option<f64>>,
    /// Bytes read from disks, per second.
    pub disk_read_bytes_s: Option<f64>,
    /// Bytes written to disks, per second.
    pub disk_written_bytes_s: Option<f64>,
}

/// The current bar of the music.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct BarReport {
    /// Number of the current bar since the music began.
    pub bar: u64,
    /// When the current bar began, milliseconds since 1970.
    pub bar_ts_ms: u64,
    /// Length of a step, milliseconds. A bar has 16 steps.
    pub step_ms: f64,
}

/// The soloists: the one or two hosts of a site whose voices play.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SoloistList {
    /// The soloists, the largest deviation first. Empty without a site.
    pub soloists: Vec<SoloReport>,
}

/// The current activity of the machine, in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SentenceReport {
    /// One sentence, as in `GET /api/explain`.
    pub sentence: String,
}

/// The version of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ConfigVersion {
    /// The `ETag` of `GET /api/config`, without quotes. It changes with every change of a setting.
    pub tag: String,
}

/// New cues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CueList {
    /// The cues since the previous event, oldest first. After a greeting, these are the newest
    /// cues, at most 64.
    pub cues: Vec<CueReport>,
}

/// New notes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NoteList {
    /// The notes since the previous event, oldest first. After a greeting, these are the newest
    /// notes, at most 64. `GET /api/history` returns the earlier notes.
    pub notes: Vec<NoteReport>,
}
