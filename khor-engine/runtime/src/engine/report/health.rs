//! `GET /api/health`: how every part is.

use std::ffi::OsStr;

use khor_config::Config;
use khor_music::Preset;
use khor_output::{
    Health, audio, osc,
    recorder::{Recorder, RecordingStatus},
};
use khor_proto::{Scope, inert};
use khor_signal::Counter;
use khor_source::{SourceKind, cgroups_of, scope_label};
use khor_system::{clock::now_unix_ms, local_time::Local};
use schemars::JsonSchema;
use serde::Serialize;

use super::table::reason;
use crate::engine::{
    config_snapshot::ConfigSnapshot,
    desktop_health::DesktopHealth,
    library::Library,
    osc_input_health::OscInputHealth,
    settings::scope_choice,
    state::{EngineState, SingleHost, SourceState},
};

/// `GET /api/health`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
pub struct HealthReport {
    pub ts_ms: u64,
    pub version: &'static str,
    pub config_path: String,
    pub host: MachineReport,
    pub source: SourceReport,
    pub scope: ScopeReport,
    pub probes: Vec<ProbeReport>,
    pub missed: MissedReport,
    pub audio: AudioReport,
    pub listen: ListenReport,
    pub recording: RecordingStatus,
    pub bpf: BpfReport,
    pub midi: MidiReport,
    pub osc: OscReport,
    pub desktop: DesktopReport,
    pub presets: PresetsReport,
    pub baseline: BaselineReport,
    pub config: ConfigReport,
    pub time: TimeReport,
    pub features: FeaturesReport,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PresetsReport {
    pub ok: bool,
    pub folder: String,
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BaselineReport {
    pub learnt: Option<f32>,
    pub learning: Option<bool>,
    pub frozen: bool,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MachineReport {
    pub name: String,
    pub kernel: String,
    pub cpus: usize,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SourceReport {
    pub kind: Option<SourceKind>,
    pub ok: bool,
    pub interval_ms: Option<u16>,
    pub detail: String,
    pub error: Option<String>,
    pub fix: Option<String>,
}

/// Whose activity is heard, or is to be.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ScopeReport {
    pub whose: String,
    pub is_machine: bool,
    pub cgroups: Vec<String>,
    pub ok: bool,
    pub error: Option<String>,
    pub fix: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProbeReport {
    pub name: &'static str,
    pub available: bool,
    pub reason: Option<String>,
}

/// Events that the collector's programs missed since the engine started.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MissedReport {
    pub events: Option<u64>,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AudioReport {
    #[serde(flatten)]
    pub health: Health,
    pub backend: Option<String>,
    pub device: Option<String>,
    pub sample_rate_hz: Option<u32>,
    pub muted: bool,
    pub restarts: u32,
    pub xruns: Option<u64>,
    pub priority: Option<audio::Priority>,
    pub callback_load: f32,
    pub latency_ms: Option<f32>,
    pub peak: f32,
    pub voices: u32,
    pub voice_limit: u32,
    pub dropped_notes: u64,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListenReport {
    pub listeners: usize,
    pub at_most: usize,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BpfReport {
    #[serde(flatten)]
    pub health: Health,
    pub err_code: i32,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MidiReport {
    #[serde(flatten)]
    pub health: Health,
    pub port: String,
    pub channel: u8,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OscReport {
    #[serde(flatten)]
    pub health: Health,
    pub host: String,
    pub port: u16,
    pub targets: Vec<osc::TargetHealth>,
    pub receive: ReceiveReport,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReceiveReport {
    #[serde(flatten)]
    pub receiving: OscInputHealth,
    pub port: u16,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DesktopReport {
    #[serde(flatten)]
    pub health: Health,
    #[serde(flatten)]
    pub parts: DesktopHealth,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConfigReport {
    pub ok: bool,
    pub error: Option<String>,
    pub warnings: Vec<String>,
}

/// The clock that quiet hours follow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TimeReport {
    pub zone: String,
    pub ok: bool,
    pub error: Option<String>,
    pub fix: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FeaturesReport {
    pub fake: bool,
}

pub(in crate::engine) fn health(
    snapshot: &ConfigSnapshot,
    library: &Library,
    state: &EngineState,
    audio: &audio::AudioOutput,
    recorder: &Recorder,
    osc: &osc::OscOutput,
    midi: &Health,
) -> HealthReport {
    let config = &snapshot.config;
    let (status, meters) = (audio.status(), audio.meters());
    let source = source_report(&state.source);
    HealthReport {
        ts_ms: now_unix_ms(),
        version: env!("CARGO_PKG_VERSION"),
        config_path: snapshot.path.display().to_string(),
        host: machine_report(),
        bpf: bpf_report(config, &state.source),
        source,
        scope: state
            .single_host
            .as_ref()
            .map_or_else(|| scope_report(config, &state.source), single_host_report),
        probes: probes(&state.source),
        missed: missed_report(state),
        audio: AudioReport {
            health: if config.features.audio && !status.health.enabled {
                Health { enabled: true, ..status.health }
            } else {
                status.health
            },
            backend: status.backend,
            device: status.device,
            sample_rate_hz: status.sample_rate_hz,
            muted: state.silence.is_muted(),
            restarts: status.restarts,
            xruns: status.xruns,
            priority: status.priority,
            callback_load: meters.callback_load,
            latency_ms: meters.latency_s.map(|seconds| 1000.0 * seconds),
            peak: meters.peak,
            voices: meters.voices,
            voice_limit: meters.voice_limit,
            dropped_notes: meters.dropped_notes + state.late_notes,
        },
        listen: ListenReport { listeners: audio.tap().listeners(), at_most: audio::Tap::MAX_LISTENERS },
        recording: recorder.status(),
        midi: MidiReport {
            health: midi.clone(),
            port: config.midi.port.clone(),
            channel: config.midi.channel,
        },
        osc: OscReport {
            health: osc.health(),
            host: config.osc.host.clone(),
            port: config.osc.port,
            targets: osc.targets(),
            receive: ReceiveReport {
                receiving: state.osc_input_health.clone(),
                port: config.osc.receive.port,
            },
        },
        desktop: DesktopReport {
            health: state.desktop_health.overall(),
            parts: state.desktop_health.clone(),
        },
        presets: presets(config, library),
        baseline: BaselineReport {
            learnt: state.reading.map(|reading| reading.learnt),
            learning: state.reading.map(|reading| reading.learnt < 1.0 && !state.baseline_frozen),
            frozen: state.baseline_frozen,
        },
        config: ConfigReport {
            ok: snapshot.warnings.is_empty(),
            error: None,
            warnings: snapshot.warnings.clone(),
        },
        time: time_report(),
        features: FeaturesReport { fake: config.features.fake },
    }
}

fn presets(config: &Config, library: &Library) -> PresetsReport {
    let mut problems = library.problems();
    let configured = &config.music.preset;
    if library.find(configured).is_none() {
        let instead = &Preset::builtin()[0].name;
        problems.push(format!("there is no preset {configured}: {instead} plays; see khor presets"));
    }
    PresetsReport { ok: problems.is_empty(), folder: library.dir().display().to_string(), problems }
}

fn time_report() -> TimeReport {
    let local = Local::now();
    let (zone, ok) = (local.name(), local.problem.is_none());
    let (error, fix) = local.problem.map(|problem| (problem.error, problem.fix)).unzip();
    TimeReport { zone, ok, error, fix }
}

fn machine_report() -> MachineReport {
    let kernel = nix::sys::utsname::uname();
    let shown = |text: &OsStr| inert::line(&text.to_string_lossy()).into_owned();
    MachineReport {
        name: nix::unistd::gethostname().map_or_else(|_| String::new(), |name| shown(&name)),
        kernel: kernel.map_or_else(|_| String::new(), |names| shown(names.release())),
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    }
}

fn source_report(source: &SourceState) -> SourceReport {
    let (kind, ok, interval_ms, detail, shortfall) = match source {
        SourceState::Starting => (None, false, None, "looking for the collector".to_owned(), None),
        SourceState::Up(info) => {
            // Counters that only a scope lacks are reported with the scope.
            let shortfall = info.shortfall.as_ref().filter(|_| info.scope == Scope::Machine);
            let shortfall = shortfall.or(info.limit.as_ref()).cloned();
            // Each host of a site has an interval of its own.
            let interval_ms = (info.kind != SourceKind::Site).then_some(info.interval_ms);
            (Some(info.kind), true, interval_ms, info.detail.clone(), shortfall)
        }
        SourceState::Down(shortfall) => (None, false, None, "lost".to_owned(), Some(shortfall.clone())),
    };
    let (error, fix) = shortfall.map(|shortfall| (shortfall.error, shortfall.fix)).unzip();
    SourceReport { kind, ok, interval_ms, detail, error, fix }
}

/// The scope that is counted, or the selected one while the source is unavailable.
fn scope_report(config: &Config, source: &SourceState) -> ScopeReport {
    let configured = scope_choice(config).as_written();
    let (scope, shortfall) = match source {
        SourceState::Up(info) => (&info.scope, info.shortfall.as_ref()),
        SourceState::Down(shortfall) => (&configured, Some(shortfall)),
        SourceState::Starting => (&configured, None),
    };
    // Counters that the whole machine lacks are reported with the source.
    let shortfall = shortfall.filter(|_| *scope != Scope::Machine);
    ScopeReport {
        whose: scope_label(scope),
        is_machine: *scope == Scope::Machine,
        cgroups: match source {
            SourceState::Up(_) => cgroups_of(scope),
            SourceState::Down(_) | SourceState::Starting => Vec::new(),
        },
        ok: shortfall.is_none(),
        error: shortfall.map(|shortfall| shortfall.error.clone()),
        fix: shortfall.map(|shortfall| shortfall.fix.clone()),
    }
}

/// The report for a single host of a site.
fn single_host_report(single_host: &SingleHost) -> ScopeReport {
    let SingleHost { host, shortfall } = single_host.clone();
    let ok = shortfall.is_none();
    let (error, fix) = shortfall.map(|shortfall| (shortfall.error, shortfall.fix)).unzip();
    ScopeReport { whose: host, is_machine: false, cgroups: Vec::new(), ok, error, fix }
}

/// The original's `bpf` block: whether the kernel's probes are heard.
fn bpf_report(config: &Config, source: &SourceState) -> BpfReport {
    let health = match source {
        _ if !config.features.bpf || config.features.fake => Health::off(),
        SourceState::Up(info) if matches!(info.kind, SourceKind::Capture | SourceKind::Site) => Health::off(),
        _ if !config.site.name.is_empty() => Health::off(),
        SourceState::Up(info) => match &info.shortfall {
            // A scope may lack counters although all probes work.
            Some(shortfall) if info.scope == Scope::Machine => {
                Health::failing(&shortfall.error, &shortfall.fix)
            }
            _ if info.kind == SourceKind::Collector => Health::working(),
            _ => Health::off(),
        },
        SourceState::Down(shortfall) => Health::failing(&shortfall.error, &shortfall.fix),
        SourceState::Starting => Health::starting(),
    };
    let err_code = i32::from(health.error.is_some());
    BpfReport { health, err_code }
}

fn missed_report(state: &EngineState) -> MissedReport {
    let events = state.counters.and_then(|counters| counters[Counter::MissedEvents.index()]);
    let reason = events.filter(|events| *events > 0).map(|events| {
        format!(
            "khor missed {events} events, so its counts are too low by as many: the kernel skips a collector program \
             that already runs on the same CPU, as can happen with preemptible tracepoints (PREEMPT_RT)"
        )
    });
    MissedReport { events, reason }
}

fn probes(source: &SourceState) -> Vec<ProbeReport> {
    let SourceState::Up(info) = source else { return Vec::new() };
    // Its hosts send signals, not counters.
    if info.kind == SourceKind::Site {
        return Vec::new();
    }
    std::iter::zip(Counter::ALL, &info.availability)
        .map(|(counter, availability)| {
            let reason = reason(availability);
            ProbeReport { name: counter.name(), available: reason.is_none(), reason }
        })
        .collect()
}
