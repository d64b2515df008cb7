//! Types of `GET /api/health`: the state of every part of the engine.

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
    /// When the engine made this report, milliseconds since 1970.
    pub ts_ms: u64,
    /// Version of the engine.
    pub version: String,
    /// Path of the configuration file.
    pub config_path: String,
    /// The machine on which the engine runs.
    pub host: MachineReport,
    /// Where the counts come from.
    pub source: SourceReport,
    /// The scope: the part of the machine whose activity khor plays.
    #[serde(default)]
    pub scope: ScopeReport,
    /// The kernel's counters. Each entry states whether the source has the counter. Empty for a
    /// site, and while the source delivers nothing.
    #[serde(default)]
    pub probes: Vec<ProbeReport>,
    /// Kernel events that the collector's programs missed.
    #[serde(default)]
    pub missed: MissedReport,
    /// The sound device.
    pub audio: AudioReport,
    /// The clients that listen to the sound over the network.
    #[serde(default)]
    pub listen: ListenReport,
    /// The current or last recording.
    #[serde(default)]
    pub recording: RecordingStatus,
    /// The collector's eBPF programs in the kernel.
    #[serde(default)]
    pub bpf: BpfReport,
    /// The MIDI output.
    #[serde(default)]
    pub midi: MidiReport,
    /// The OSC output and input.
    #[serde(default)]
    pub osc: OscReport,
    /// khor's services on the session bus.
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
    /// The time zone that the quiet hours use.
    #[serde(default)]
    pub time: TimeReport,
    /// Which optional features are on.
    #[serde(default)]
    pub features: FeaturesReport,
}

/// The machine on which the engine runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct MachineReport {
    /// Host name of the machine.
    pub name: String,
    /// Release of the kernel, such as `6.18.0`.
    pub kernel: String,
    /// Number of CPUs that the engine may use.
    pub cpus: usize,
}

/// Where the counts come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct SourceReport {
    /// The kind of source; `null` while no source delivers counts.
    pub kind: Option<SourceKind>,
    /// Whether the source delivers counts. If this is true and `error` is not `null`, only some
    /// counts are missing.
    pub ok: bool,
    /// Time between two samples of the source, milliseconds. The collector may grant a longer
    /// interval than the setting `bpf.sample_interval_ms` requests. `null` while no source delivers
    /// counts, and for a site, because each host has its own interval.
    pub interval_ms: Option<u16>,
    /// Description of the source, one line.
    pub detail: String,
    /// Which counts the source lacks, or why there is no source.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// The scope: the part of the machine whose activity khor plays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ScopeReport {
    /// Name of the scope: a unit such as `nginx.service`, `process 4711`, `the whole machine`, or
    /// the single host of a site.
    pub whose: String,
    /// Whether the scope is the whole machine.
    pub is_machine: bool,
    /// Paths of the cgroups in the scope. Empty for the whole machine, and while no source delivers
    /// counts.
    pub cgroups: Vec<String>,
    /// Whether khor can count the whole scope.
    pub ok: bool,
    /// Why khor cannot count the scope, or which counters the scope lacks.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// One counter of the kernel, and whether the source has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ProbeReport {
    /// Name of the counter, such as `execs`.
    pub name: String,
    /// Whether the source has the counter.
    pub available: bool,
    /// Why the counter is missing; `null` if it is available.
    pub reason: Option<String>,
}

/// Kernel events that the collector's programs missed since the engine started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct MissedReport {
    /// Number of missed events; `null` without a collector.
    pub events: Option<u64>,
    /// Why the programs missed events; `null` if they missed none.
    pub reason: Option<String>,
}

/// The clients that listen to the sound over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ListenReport {
    /// Number of listeners that are connected now. A running recording counts as one listener.
    pub listeners: usize,
    /// Largest number of listeners that can connect at the same time.
    pub at_most: usize,
}

/// The collector's eBPF programs in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct BpfReport {
    /// Whether khor uses the programs, and whether they deliver all counters.
    #[serde(flatten)]
    pub health: Health,
    /// 0 without an error, else 1. This field is for clients of the original khor, the program that
    /// this khor replaces.
    pub err_code: i32,
}

/// The user's presets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct PresetsReport {
    /// Whether all presets are valid and the preset in the settings exists.
    pub ok: bool,
    /// Path of the folder with the user's presets.
    pub folder: String,
    /// The problems of the presets, one line each.
    pub problems: Vec<String>,
}

/// The baseline: the usual rate of each signal, which khor learns.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct BaselineReport {
    /// Share of the baseline that is learned, 0 to 1; `null` while no source delivers counts.
    pub learnt: Option<f32>,
    /// Whether khor is still learning the baseline; `null` while no source delivers counts.
    pub learning: Option<bool>,
    /// Whether a user has frozen the baseline. khor does not change a frozen baseline.
    pub frozen: bool,
}

/// The configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ConfigReport {
    /// Whether the configuration file is valid.
    pub ok: bool,
    /// Always `null`; the problems are in `warnings`.
    pub error: Option<String>,
    /// The problems of the configuration file, one line each.
    pub warnings: Vec<String>,
}

/// The time zone that the quiet hours use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct TimeReport {
    /// Name of the time zone, from `TZ` or `/etc/localtime`. `UTC` if the requested zone is
    /// invalid.
    pub zone: String,
    /// Whether the requested time zone is valid.
    pub ok: bool,
    /// Why the requested time zone is invalid.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// Which optional features are on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct FeaturesReport {
    /// Whether khor plays the synthetic demo source instead of this machine.
    pub fake: bool,
}
