//! `GET /api/stream?events=changes`: the events, and the [`StreamState`] that they build.
//!
//! A client starts with [`StreamState::default`] and applies each event. Its first events replicate
//! the engine's own state ([`StreamState::replicate`]), beginning with [`Greeting`]. So one code
//! path greets and updates clients. The engine greets a client again if the client was too slow.

mod state;

pub use self::state::StreamState;

use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ControlsReport, CueReport, HealthReport, NoteReport, SoloReport};

/// Largest number of notes in a state.
pub const MAX_NOTES: usize = 64;
/// Largest number of cues in a state.
pub const MAX_CUES: usize = 64;

/// A change of the engine's state. Clients must ignore events with an unknown `type`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamEvent {
    /// The first event of a connection, and the first event after a gap. It resets the state.
    Greeting(Greeting),
    /// The state of every part of the engine, at most once a second.
    Health(Box<HealthReport>),
    /// The current controls.
    Controls(ControlsReport),
    /// The lanes. Their values follow in another event.
    Lanes(LaneList),
    /// The values of all lanes, ten times a second.
    Values(LaneValues),
    /// The current bar of the music.
    Bar(BarReport),
    /// The hosts of a site that have the voices.
    Soloists(SoloistList),
    /// What the machine is doing, in one sentence.
    Sentence(SentenceReport),
    /// The configuration has changed.
    Config(ConfigVersion),
    /// New cues.
    Cues(CueList),
    /// New notes.
    Notes(NoteList),
    /// An event of a newer engine.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// The engine that sends the stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Greeting {
    /// Version of the engine.
    pub version: String,
    /// When the engine started, milliseconds since 1970. After a restart, notes and cues are
    /// numbered from 1 again.
    pub started_ts_ms: u64,
}

/// All lanes, in the order of the catalogue.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LaneList {
    /// The lanes. The lists of an event `values` have the same order.
    pub lanes: Vec<LaneReport>,
}

/// The description of a lane. A lane is a signal of the kernel, or a value that a source adds.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LaneReport {
    /// Name of the lane, such as `exec`.
    pub name: String,
    /// Two or three plain words, such as `program starts`.
    pub label: String,
    /// The family: one colour, and one timbre and register.
    pub family: Family,
    /// Unit of the rate and the baseline: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of
    /// time, 0 to 1).
    pub unit: String,
    /// The grain, in `unit`, greater than 0: a rate of one grain is one octave above 0. Differences
    /// below the grain are not significant.
    pub grain: f64,
    /// Whether the source has the lane.
    pub available: bool,
    /// Why the lane is missing; `null` if it is available.
    pub reason: Option<String>,
}

/// The values of all lanes, in the order of the event `lanes`, rounded to four digits. A missing
/// value is `null`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LaneValues {
    /// When these values were read, milliseconds since 1970.
    pub ts_ms: u64,
    /// Levels, 0 to 1.
    pub level: Vec<Option<f32>>,
    /// How far the rates are above the baselines, octaves.
    pub deviation: Vec<Option<f32>>,
    /// How sudden the changes are, 0 to 1.
    pub surprise: Vec<Option<f32>>,
    /// Rates, each in the unit of its lane.
    pub rate: Vec<Option<f64>>,
    /// Usual rates, each in the unit of its lane.
    pub baseline: Vec<Option<f64>>,
    /// Bytes that disks read, per second.
    pub disk_read_bytes_s: Option<f64>,
    /// Bytes that disks wrote, per second.
    pub disk_written_bytes_s: Option<f64>,
}

/// The current bar of the music.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct BarReport {
    /// Number of the bar since the music began.
    pub bar: u64,
    /// When the bar began, milliseconds since 1970.
    pub bar_ts_ms: u64,
    /// Length of a step, milliseconds. A bar has 16 steps.
    pub step_ms: f64,
}

/// The one or two hosts of a site that have the voices.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SoloistList {
    /// The hosts, the largest deviation first. Empty without a site.
    pub soloists: Vec<SoloReport>,
}

/// What the machine is doing, in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SentenceReport {
    /// One sentence, as in `GET /api/explain`.
    pub sentence: String,
}

/// A version of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ConfigVersion {
    /// The tag of `GET /api/config`, without quotes.
    pub tag: String,
}

/// New cues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CueList {
    /// The cues since the previous event, oldest first. After a greeting, the newest cues, at most
    /// 64.
    pub cues: Vec<CueReport>,
}

/// New notes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NoteList {
    /// The notes since the previous event, oldest first. After a greeting, the newest notes, at
    /// most 64. `GET /api/history` has the notes before them.
    pub notes: Vec<NoteReport>,
}
