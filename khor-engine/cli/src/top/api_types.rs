//! The parts of the engine's answers (docs/api.md) that `khor top` shows.

use std::collections::BTreeMap;

use khor_music::Layer;
use khor_signal::{Family, SignalId};
use serde::Deserialize;

/// `GET /api/metrics`, and the events of `GET /api/stream`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metrics {
    pub(super) ts_ms: u64,
    pub(super) controls: Controls,
    pub(super) signals: BTreeMap<String, Signal>,
    pub(super) notes: Vec<Note>,
    pub(super) cues: Vec<Cue>,
    pub(super) music: Option<Position>,
    /// Only if it was requested.
    #[serde(default)]
    pub(super) history: Vec<Past>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Controls {
    pub(super) bpm: f32,
    pub(super) preset: String,
    pub(super) muted: bool,
    pub(super) snoozed_until_ts_ms: Option<u64>,
    #[serde(default)]
    pub(super) quiet_until_ts_ms: Option<u64>,
    /// `None` from older engines.
    #[serde(default)]
    pub(super) silence: Option<Silence>,
}

/// Why the sound device is silent.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Silence {
    pub(super) reason: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Signal {
    /// 0..=1.
    pub(super) level: Option<f32>,
    /// Octaves above the baseline.
    pub(super) deviation: Option<f32>,
    /// In `unit`.
    pub(super) rate: Option<f64>,
    /// Baseline, in `unit`.
    #[serde(default)]
    pub(super) baseline: Option<f64>,
    pub(super) unit: String,
    pub(super) label: String,
    pub(super) family: Family,
    /// Why it is missing.
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Note {
    pub(super) seq: u64,
    pub(super) ts_ms: u64,
    pub(super) midi: u8,
    pub(super) duration_s: f32,
    pub(super) layer: Layer,
    pub(super) signal: Option<SignalId>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cue {
    pub(super) seq: u64,
    pub(super) ts_ms: u64,
    pub(super) kind: String,
    pub(super) pid: Option<u32>,
    pub(super) comm: Option<String>,
    /// Of a site.
    pub(super) host: Option<String>,
}

impl Cue {
    /// The share of the list that this cue takes (`fair_share::trim`): its host's, or `None`. The
    /// cues of this machine, and of hosts that were lost or found, have that share together.
    pub(super) fn share(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| !matches!(self.kind.as_str(), "lost" | "found"))
    }
}

/// Where the music is.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Position {
    pub(super) step_ms: f64,
    pub(super) bar_ts_ms: u64,
}

/// One instant of the history.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Past {
    pub(super) ts_ms: u64,
    pub(super) levels: BTreeMap<String, Option<f32>>,
}

/// `GET /api/health`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Health {
    pub(super) host: Host,
    pub(super) source: Source,
    pub(super) audio: Audio,
    pub(super) baseline: Baseline,
}

/// `GET /api/fleet`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Fleet {
    /// `None` without a site.
    pub(super) site: Option<String>,
    pub(super) error: Option<String>,
    pub(super) fix: Option<String>,
    /// The one or two hosts that have the voices, the furthest first.
    pub(super) soloists: Vec<String>,
    /// The host that plays alone.
    pub(super) alone: Option<Alone>,
    /// The furthest above its baseline first, silent ones last. Of sites within the site, only
    /// hosts that stand out.
    pub(super) hosts: Vec<FleetHost>,
    /// Hosts that send, those of sites within the site included.
    pub(super) live: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Alone {
    pub(super) host: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct FleetHost {
    pub(super) name: String,
    pub(super) section: Option<String>,
    /// `live` or `silent`.
    pub(super) state: String,
    /// Octaves above its own baseline.
    pub(super) deviation: Option<f32>,
    pub(super) signal: Option<SignalId>,
    pub(super) seen_ms_ago: u64,
    pub(super) clock_behind_ms: i64,
    pub(super) clock_off: bool,
    pub(super) used_twice: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Host {
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Source {
    pub(super) kind: Option<String>,
    pub(super) ok: bool,
    pub(super) interval_ms: Option<u16>,
    pub(super) error: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Audio {
    pub(super) enabled: bool,
    pub(super) ok: bool,
    pub(super) backend: Option<String>,
    pub(super) device: Option<String>,
    pub(super) error: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Baseline {
    /// 0..=1.
    pub(super) learnt: Option<f32>,
    pub(super) learning: Option<bool>,
    pub(super) frozen: bool,
}
