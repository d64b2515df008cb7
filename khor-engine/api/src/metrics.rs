//! `GET /api/metrics`: rates, signals, notes and cues.

use khor_music::{Layer, Role};
use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ControlsReport, Table};

/// Rates, signals, controls, notes and cues. The event stream sends it too, without `history`.
///
/// `P` is a point of the history. The server uses a type that caches the JSON of the point.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "MetricsReport")]
pub struct MetricsReport<P = HistoryPoint> {
    /// When this was written, milliseconds since 1970.
    pub ts_ms: u64,
    /// Totals of the original khor.
    #[serde(default)]
    pub totals: OriginalTotals,
    /// Rates of the original khor. All are `null` for a site.
    #[serde(default)]
    pub rates: OriginalRates,
    /// The current controls.
    pub controls: ControlsReport,
    /// The signals by name, in the order of the catalogue: the kernel's signals, then added lanes.
    /// For a site, the signals of all its hosts together.
    pub signals: Table<SignalReport>,
    /// The newest notes, at most 512, oldest first. An event has only the notes since the previous
    /// event.
    pub notes: Vec<NoteReport>,
    /// The newest cues, at most 64, oldest first. An event has only the cues since the previous
    /// event. If there are more cues, khor drops the oldest cue of the host with the most cues.
    pub cues: Vec<CueReport>,
    /// The position of the music; `null` until the music begins.
    pub music: Option<MusicReport>,
    /// The one or two hosts of a site that have the voices, the largest deviation first. Empty
    /// without a site.
    #[serde(default)]
    pub soloists: Vec<SoloReport>,
    /// The last two minutes at 5 points a second, oldest first. Events have no history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<P>>,
}

/// Totals of the original khor since the engine started, for the selected scope. They never fall or
/// jump: when the source changes or restarts, each total continues from its last value. A total is
/// `null` if the source does not count it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct OriginalTotals {
    /// Events that the kernel counted: program starts, new tasks, packets, context switches, disk
    /// requests, retransmits and interrupts.
    pub events_total: Option<u64>,
    /// Cues that the kernel or the collector could not pass on. All other events are counted in the
    /// kernel.
    pub events_dropped: Option<u64>,
    /// Programs that started.
    pub exec_total: Option<u64>,
    /// Bytes that all network devices received. Bytes that pass several devices count more than
    /// once.
    pub net_rx_bytes_total: Option<u64>,
    /// Bytes that all network devices sent. Bytes that pass several devices count more than once.
    pub net_tx_bytes_total: Option<u64>,
    /// Context switches.
    pub sched_switch_total: Option<u64>,
    /// Bytes that disks read.
    pub blk_read_bytes_total: Option<u64>,
    /// Bytes that disks wrote.
    pub blk_write_bytes_total: Option<u64>,
    /// TCP segments that were sent again.
    pub tcp_retransmit_total: Option<u64>,
    /// Interrupts of devices.
    pub irq_total: Option<u64>,
}

/// Rates of the original khor. A rate is `null` if the source does not count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct OriginalRates {
    /// Program starts per second.
    pub exec_s: Option<f64>,
    /// Kilobytes (1000 bytes) received at the machine's edge per second: the rate of the signal
    /// `rx`.
    pub rx_kbs: Option<f64>,
    /// Kilobytes (1000 bytes) sent at the machine's edge per second: the rate of the signal `tx`.
    pub tx_kbs: Option<f64>,
    /// Context switches per second.
    pub csw_s: Option<f64>,
    /// Kilobytes (1000 bytes) that disks read per second.
    pub blk_r_kbs: Option<f64>,
    /// Kilobytes (1000 bytes) that disks wrote per second.
    pub blk_w_kbs: Option<f64>,
    /// TCP segments sent again, per second.
    pub retx_s: Option<f64>,
    /// Interrupts of devices per second.
    pub irq_s: Option<f64>,
    /// Share of the time in which some task waited for memory, percent.
    pub mem_pct: Option<f64>,
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SignalReport {
    /// Level, 0 to 1; `null` if it is missing. The setting `signals.range` selects its meaning: how
    /// far the signal is above this machine's usual range, or its share of the ceiling.
    pub level: Option<f32>,
    /// How far `rate` is above `baseline`, octaves of 1 + rate ÷ grain; `null` if it is missing.
    /// Differences below the signal's grain are not significant. For all hosts of a site together,
    /// this is the deviation that plays.
    pub deviation: Option<f32>,
    /// How sudden the change is, 0 to 1; `null` if it is missing.
    pub surprise: Option<f32>,
    /// The rate, in `unit`; `null` if it is missing.
    pub rate: Option<f64>,
    /// The usual rate, in `unit`; `null` if it is missing.
    pub baseline: Option<f64>,
    /// Unit of `rate` and `baseline`: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of time,
    /// 0 to 1). An added lane may have another unit, or none.
    pub unit: String,
    /// Two or three plain words, such as `program starts`.
    pub label: String,
    /// The family: one colour, and one timbre and register.
    pub family: Family,
    /// Whether the source has the signal.
    pub available: bool,
    /// Why the signal is missing; `null` if it is available.
    pub reason: Option<String>,
}

/// A note that was sent to the outputs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NoteReport {
    /// Number of the note since the engine started, from 1.
    pub seq: u64,
    /// When the note begins, milliseconds since 1970.
    pub ts_ms: u64,
    /// MIDI note number, 0 to 127.
    pub midi: u8,
    /// Loudness, 0 to 1.
    pub velocity: f32,
    /// Length, seconds.
    pub duration_s: f32,
    /// The timbre that plays it.
    pub role: Role,
    /// The layer of the music.
    pub layer: Layer,
    /// Default MIDI channel of the timbre, 1 to 16. The setting `midi.channel` does not change it.
    pub channel: u8,
    /// Name of the signal that caused the note; `null` if no single signal did.
    pub signal: Option<String>,
}

/// A cue: a single event of the kernel, such as a crash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CueReport {
    /// Number of the cue since the engine started, from 1.
    pub seq: u64,
    /// When the cue arrived, milliseconds since 1970.
    pub ts_ms: u64,
    /// What happened, such as `crash`, `oom`, `exec` or `retx`. For a site also `lost`, when a host
    /// stops sending, and `found`, when it sends again.
    pub kind: String,
    /// The host of a site where it happened; `null` for this machine.
    pub host: Option<String>,
    /// Process id; `null` if it is unknown.
    pub pid: Option<u32>,
    /// Name of the process; `null` if it is unknown.
    pub comm: Option<String>,
    /// A number whose meaning depends on the kind, such as the signal that ended a process; `null`
    /// if there is none.
    pub detail: Option<u32>,
}

/// The position of the music.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct MusicReport {
    /// Number of the bar since the music began.
    #[serde(default)]
    pub bar: u64,
    /// The step within the bar, 0 to 15.
    #[serde(default)]
    pub step: u8,
    /// Length of a step, milliseconds.
    pub step_ms: f64,
    /// When the bar began, milliseconds since 1970.
    pub bar_ts_ms: u64,
}

/// A host of a site that has the voices.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SoloReport {
    /// Name of the host.
    pub host: String,
    /// Its section; `null` for the hosts without one.
    pub section: Option<String>,
    /// Name of its most deviant signal.
    pub signal: String,
    /// How far this signal is above its baseline, octaves.
    pub deviation: f32,
}

/// A point of the history.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct HistoryPoint {
    /// Time of the point, milliseconds since 1970.
    pub ts_ms: u64,
    /// The original's rates, as fields of the point.
    #[serde(flatten)]
    pub original: OriginalRates,
    /// Level of each signal, 0 to 1; `null` if it was missing. Lanes that were added later are
    /// missing.
    pub levels: Table<Option<f32>>,
    /// Rate of each signal in its unit; `null` if it was missing.
    #[serde(default)]
    pub rates: Table<Option<f64>>,
}
