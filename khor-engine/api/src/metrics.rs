//! Types of `GET /api/metrics`: rates, signals, notes and cues.

use khor_music::{Layer, Role};
use khor_signal::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ControlsReport, Table};

/// Rates, signals, controls, notes and cues. The event stream sends this report without `history`.
///
/// `P` is the type of a history point. The server uses a type that caches the point's JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "MetricsReport")]
pub struct MetricsReport<P = HistoryPoint> {
    /// When the engine made this report, milliseconds since 1970.
    pub ts_ms: u64,
    /// The totals of the original khor, the program that this khor replaces.
    #[serde(default)]
    pub totals: OriginalTotals,
    /// The rates of the original khor, the program that this khor replaces. All rates are `null`
    /// for a site.
    #[serde(default)]
    pub rates: OriginalRates,
    /// The current controls.
    pub controls: ControlsReport,
    /// The signals by name: first the kernel's signals, then the lanes that the source adds. For a
    /// site, each signal is the median over all hosts; signals of waiting are the 90th percentile.
    pub signals: Table<SignalReport>,
    /// The newest notes, at most 512, oldest first. An event of the stream contains only the notes
    /// since the previous event.
    pub notes: Vec<NoteReport>,
    /// The newest cues, at most 64, oldest first. An event of the stream contains only the cues
    /// since the previous event. At the limit, khor drops the oldest cue of the host with the most
    /// cues.
    pub cues: Vec<CueReport>,
    /// The current bar and step of the music; `null` until the music begins.
    pub music: Option<MusicReport>,
    /// The soloists: the one or two hosts of a site whose voices play, the largest deviation first.
    /// Empty without a site.
    #[serde(default)]
    pub soloists: Vec<SoloReport>,
    /// The last two minutes, 5 points per second, oldest first. Events of the stream have no
    /// history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<P>>,
}

/// The totals of the original khor, for the selected scope since the engine started. When the
/// source changes or restarts, each total continues from its last value. A total is `null` if the
/// source does not count it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct OriginalTotals {
    /// Number of events that the kernel counted: program starts, new tasks, packets, context
    /// switches, disk requests, retransmits and interrupts.
    pub events_total: Option<u64>,
    /// Number of cues that the kernel or the collector dropped. Other events are never dropped,
    /// because the kernel only counts them.
    pub events_dropped: Option<u64>,
    /// Number of program starts.
    pub exec_total: Option<u64>,
    /// Bytes that all network devices received. Bytes that pass through several devices count more
    /// than once.
    pub net_rx_bytes_total: Option<u64>,
    /// Bytes that all network devices sent. Bytes that pass through several devices count more than
    /// once.
    pub net_tx_bytes_total: Option<u64>,
    /// Number of context switches.
    pub sched_switch_total: Option<u64>,
    /// Bytes read from disks.
    pub blk_read_bytes_total: Option<u64>,
    /// Bytes written to disks.
    pub blk_write_bytes_total: Option<u64>,
    /// Number of TCP segments that were sent again.
    pub tcp_retransmit_total: Option<u64>,
    /// Number of device interrupts.
    pub irq_total: Option<u64>,
}

/// The rates of the original khor, the program that this khor replaces. A rate is `null` if the
/// source does not count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct OriginalRates {
    /// Program starts per second.
    pub exec_s: Option<f64>,
    /// Kilobytes (1000 bytes) that the machine received from other machines, per second: the rate
    /// of the signal `rx`.
    pub rx_kbs: Option<f64>,
    /// Kilobytes (1000 bytes) that the machine sent to other machines, per second: the rate of the
    /// signal `tx`.
    pub tx_kbs: Option<f64>,
    /// Context switches per second.
    pub csw_s: Option<f64>,
    /// Kilobytes (1000 bytes) read from disks, per second.
    pub blk_r_kbs: Option<f64>,
    /// Kilobytes (1000 bytes) written to disks, per second.
    pub blk_w_kbs: Option<f64>,
    /// TCP segments that were sent again, per second.
    pub retx_s: Option<f64>,
    /// Device interrupts per second.
    pub irq_s: Option<f64>,
    /// Share of the time in which at least one task waited for memory, percent.
    pub mem_pct: Option<f64>,
}

/// One signal or added lane, with its current values.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SignalReport {
    /// Level of the signal, 0 to 1; `null` if the signal is missing. The setting `signals.range`
    /// selects what the level is relative to: this machine's baseline, or a fixed ceiling.
    pub level: Option<f32>,
    /// How many octaves `rate` is above `baseline`; `null` if the signal is missing. One octave is
    /// a doubling of 1 + rate ÷ grain, where the grain is the smallest significant difference. For
    /// a site, khor computes this value from the deviations of the hosts, and the music uses this
    /// value.
    pub deviation: Option<f32>,
    /// How sudden the last change of the signal was, 0 to 1; `null` if the signal is missing.
    pub surprise: Option<f32>,
    /// Current rate, in `unit`; `null` if the signal is missing.
    pub rate: Option<f64>,
    /// Usual rate, in `unit`; `null` if the signal is missing.
    pub baseline: Option<f64>,
    /// Unit of `rate` and `baseline`: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of time,
    /// 0 to 1). An added lane may have another unit, or none.
    pub unit: String,
    /// Display name of the signal, two or three words, such as `program starts`.
    pub label: String,
    /// The signal's family. Signals of one family share a colour, a timbre and a register.
    pub family: Family,
    /// Whether the source delivers the signal.
    pub available: bool,
    /// Why the signal is missing; `null` if it is available.
    pub reason: Option<String>,
}

/// A note that khor sent to the outputs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NoteReport {
    /// Sequence number of the note, from 1. The engine starts again at 1 after a restart.
    pub seq: u64,
    /// When the note begins, milliseconds since 1970.
    pub ts_ms: u64,
    /// MIDI note number, 0 to 127.
    pub midi: u8,
    /// Velocity (loudness) of the note, 0 to 1.
    pub velocity: f32,
    /// Length of the note, seconds.
    pub duration_s: f32,
    /// The timbre that plays the note.
    pub role: Role,
    /// The layer of the music that the note belongs to.
    pub layer: Layer,
    /// Default MIDI channel of the timbre, 1 to 16. The setting `midi.channel` does not change this
    /// value.
    pub channel: u8,
    /// Name of the signal that caused the note; `null` if no single signal did.
    pub signal: Option<String>,
}

/// A cue: a single event of the kernel, such as a crash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CueReport {
    /// Sequence number of the cue, from 1. The engine starts again at 1 after a restart.
    pub seq: u64,
    /// When the cue arrived, milliseconds since 1970.
    pub ts_ms: u64,
    /// What happened, such as `crash`, `oom`, `exec` or `retx`. For a site also `lost` (a host has
    /// stopped sending) and `found` (the host sends again).
    pub kind: String,
    /// The host on which the event happened, if the source is a site; `null` for this machine.
    pub host: Option<String>,
    /// Id of the process; `null` if khor does not know the process.
    pub pid: Option<u32>,
    /// Name of the process; `null` if khor does not know the name.
    pub comm: Option<String>,
    /// A number whose meaning depends on `kind`, such as the number of the signal that ended a
    /// process; `null` if this kind has no number.
    pub detail: Option<u32>,
}

/// The current bar and step of the music.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct MusicReport {
    /// Number of the current bar since the music began.
    #[serde(default)]
    pub bar: u64,
    /// Number of the current step within the bar, 0 to 15.
    #[serde(default)]
    pub step: u8,
    /// Length of a step, milliseconds.
    pub step_ms: f64,
    /// When the current bar began, milliseconds since 1970.
    pub bar_ts_ms: u64,
}

/// A soloist: a host of a site whose voices play.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SoloReport {
    /// Name of the host.
    pub host: String,
    /// Section of the host; `null` for a host without a section.
    pub section: Option<String>,
    /// Name of the host's signal with the largest deviation.
    pub signal: String,
    /// How many octaves this signal's rate is above its baseline.
    pub deviation: f32,
}

/// The rates and levels at one point in time.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct HistoryPoint {
    /// Time of the point, milliseconds since 1970.
    pub ts_ms: u64,
    /// The same kinds of rates as in [`MetricsReport::rates`], as fields of this object.
    #[serde(flatten)]
    pub original: OriginalRates,
    /// Level of each signal, 0 to 1; `null` if the signal was missing. Lanes that were added after
    /// this time are not in the object.
    pub levels: Table<Option<f32>>,
    /// Rate of each signal, in the signal's unit; `null` if the signal was missing.
    #[serde(default)]
    pub rates: Table<Option<f64>>,
}
