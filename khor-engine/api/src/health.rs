//! `GET /api/health`: the state of every part of the engine.

use khor_signal::SourceKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AudioReport, DesktopReport, Health, MidiReport, OscReport, RecordingStatus, Trouble,
    trouble::{self, TroubleFields},
};

/// The state of every part of the engine.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct HealthReport {
    /// When this was written, milliseconds since 1970.
    pub ts_ms: u64,
    /// Version of the engine.
    pub version: String,
    /// Path of the configuration file.
    pub config_path: String,
    /// The machine on which the engine runs.
    pub host: MachineReport,
    /// Where the counts come from.
    pub source: SourceReport,
    /// The part of the machine that is counted: the scope.
    #[serde(default)]
    pub scope: ScopeReport,
    /// The counters of the kernel, each with whether the source has it. Empty for a site and while
    /// no source delivers.
    #[serde(default)]
    pub probes: Vec<ProbeReport>,
    /// Events that the collector's programs missed.
    #[serde(default)]
    pub missed: MissedReport,
    /// The sound device.
    pub audio: AudioReport,
    /// Remote listeners.
    #[serde(default)]
    pub listen: ListenReport,
    /// The current or last recording.
    #[serde(default)]
    pub recording: RecordingStatus,
    /// The collector's programs in the kernel.
    #[serde(default)]
    pub bpf: BpfReport,
    /// The MIDI output.
    #[serde(default)]
    pub midi: MidiReport,
    /// The OSC output and input.
    #[serde(default)]
    pub osc: OscReport,
    /// khor's parts on the session bus.
    #[serde(default)]
    pub desktop: DesktopReport,
    /// The user's presets.
    #[serde(default)]
    pub presets: PresetsReport,
    /// The learned baseline.
    pub baseline: BaselineReport,
    /// The configuration file.
    #[serde(default)]
    pub config: ConfigReport,
    /// The time zone of the quiet hours.
    #[serde(default)]
    pub time: TimeReport,
    /// Features that are on.
    #[serde(default)]
    pub features: FeaturesReport,
}

/// The machine on which the engine runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct MachineReport {
    /// The host name.
    pub name: String,
    /// The kernel's release, such as `6.18.0`.
    pub kernel: String,
    /// CPUs that the engine may use.
    pub cpus: usize,
}

/// Where the counts come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct SourceReport {
    /// The kind of source; `null` while none delivers.
    pub kind: Option<SourceKind>,
    /// Whether the source delivers. If it delivers but lacks something, `error` names what it
    /// lacks.
    pub ok: bool,
    /// Time between two samples that the source grants, milliseconds. It may be longer than the
    /// setting `bpf.sample_interval_ms`. `null` while no source delivers. Also `null` for a site,
    /// because each host has its own interval.
    pub interval_ms: Option<u16>,
    /// Description of the source, one line.
    pub detail: String,
    /// What the source lacks, or why there is none.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// The part of the machine that is counted: the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ScopeReport {
    /// The selected scope in words: a unit, `process 4711`, `the whole machine`, or the single host
    /// of a site.
    pub whose: String,
    /// Whether the whole machine is selected.
    pub is_machine: bool,
    /// Paths of the cgroups in the scope. Empty for the whole machine, and while no source
    /// delivers.
    pub cgroups: Vec<String>,
    /// Whether the scope is counted completely.
    pub ok: bool,
    /// Why the scope is not counted, or which counters it lacks.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// One of the kernel's counters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ProbeReport {
    /// The counter's name, such as `execs`.
    pub name: String,
    /// Whether the source has the counter.
    pub available: bool,
    /// Why the counter is missing; `null` if it is available.
    pub reason: Option<String>,
}

/// Events that the collector's programs missed since the engine started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct MissedReport {
    /// Number of events; `null` without a collector.
    pub events: Option<u64>,
    /// Explanation; `null` if none were missed.
    pub reason: Option<String>,
}

/// Remote listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ListenReport {
    /// Listeners that are connected now. A running recording counts as one.
    pub listeners: usize,
    /// Largest number of listeners at once.
    pub at_most: usize,
}

/// The collector's programs in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct BpfReport {
    /// Whether khor uses the programs, and whether they deliver all counters.
    #[serde(flatten)]
    pub health: Health,
    /// 0 without an error, else 1. Clients of the original khor read this field.
    pub err_code: i32,
}

/// The user's presets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct PresetsReport {
    /// Whether all presets are valid and the configured preset exists.
    pub ok: bool,
    /// The folder of the user's presets.
    pub folder: String,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
}

/// The learned baseline.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct BaselineReport {
    /// How much of the baseline is learned, 0 to 1; `null` without a reading.
    pub learnt: Option<f32>,
    /// Whether the baseline is still being learned; `null` without a reading.
    pub learning: Option<bool>,
    /// Whether learning is frozen.
    pub frozen: bool,
}

/// The configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ConfigReport {
    /// Whether the file is valid.
    pub ok: bool,
    /// Always `null`; problems are in `warnings`.
    pub error: Option<String>,
    /// What is wrong in the file, one line each.
    pub warnings: Vec<String>,
}

/// The time zone of the quiet hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct TimeReport {
    /// Name of the time zone. `UTC` if the configured zone is invalid.
    pub zone: String,
    /// Whether the configured zone is valid.
    pub ok: bool,
    /// Why the zone is invalid.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// Features that are on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct FeaturesReport {
    /// Whether the synthetic demo is selected.
    pub fake: bool,
}
