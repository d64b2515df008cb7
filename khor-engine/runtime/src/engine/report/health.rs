//! The report of `GET /api/health`: the state of every part of the engine.

use std::ffi::OsStr;

use khor_api::{
    AudioReport, BaselineReport, BpfReport, ConfigReport, DesktopReport, FeaturesReport, Health,
    HealthReport, ListenReport, MachineReport, MidiReport, MissedReport, OscReport, PresetsReport,
    ProbeReport, ReceiveReport, ScopeReport, SourceReport, TimeReport, Trouble,
};
use khor_config::Config;
use khor_music::Preset;
use khor_output::{
    audio::{AudioOutput, Tap},
    osc::OscOutput,
    recorder::Recorder,
};
use khor_proto::{Scope, inert};
use khor_signal::Counter;
use khor_source::{SourceKind, cgroups_of, scope_label};
use khor_system::{clock::now_unix_ms, local_time::Local};

use super::convert::{reason, trouble};
use crate::engine::{
    config_snapshot::ConfigSnapshot,
    desktop_health::overall_health,
    library::Library,
    settings::scope_choice,
    state::{EngineState, SingleHost, SourceState},
};

pub(in crate::engine) fn health(
    snapshot: &ConfigSnapshot,
    library: &Library,
    state: &EngineState,
    audio: &AudioOutput,
    recorder: &Recorder,
    osc: &OscOutput,
    midi: &Health,
) -> HealthReport {
    let config = &snapshot.config;
    HealthReport {
        ts_ms: now_unix_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_path: snapshot.path.display().to_string(),
        host: machine_report(),
        bpf: bpf_report(config, &state.source),
        source: source_report(&state.source),
        scope: state
            .single_host
            .as_ref()
            .map_or_else(|| scope_report(config, &state.source), single_host_report),
        probes: probes(&state.source),
        missed: missed_report(state),
        audio: audio_report(config, state, audio),
        listen: ListenReport { listeners: audio.tap().listeners(), at_most: Tap::MAX_LISTENERS },
        recording: recorder.status(),
        midi: MidiReport {
            health: midi.clone(),
            port: config.midi.port.clone(),
            channel: config.midi.channel,
        },
        osc: osc_report(config, state, osc),
        desktop: DesktopReport {
            health: overall_health(&state.desktop_health),
            parts: state.desktop_health.clone(),
        },
        presets: presets(config, library),
        baseline: baseline_report(state),
        config: ConfigReport {
            ok: snapshot.warnings.is_empty(),
            error: None,
            warnings: snapshot.warnings.clone(),
        },
        time: time_report(),
        features: FeaturesReport { fake: config.features.fake },
    }
}

fn audio_report(config: &Config, state: &EngineState, audio: &AudioOutput) -> AudioReport {
    let (status, meters) = (audio.status(), audio.meters());
    let enabled = status.health.enabled || config.features.audio;
    AudioReport {
        health: Health { enabled, ..status.health },
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
    }
}

fn osc_report(config: &Config, state: &EngineState, osc: &OscOutput) -> OscReport {
    OscReport {
        health: osc.health(),
        host: config.osc.host.clone(),
        port: config.osc.port,
        targets: osc.targets(),
        receive: ReceiveReport { input: state.osc_input_health.clone(), port: config.osc.receive.port },
    }
}

fn baseline_report(state: &EngineState) -> BaselineReport {
    BaselineReport {
        learnt: state.reading.as_ref().map(|reading| reading.learnt),
        learning: state.reading.as_ref().map(|reading| reading.learnt < 1.0 && !state.baseline_frozen),
        frozen: state.baseline_frozen,
    }
}

fn presets(config: &Config, library: &Library) -> PresetsReport {
    let mut problems = library.problems();
    let configured = &config.music.preset;
    if library.find(configured).is_none() {
        let instead = &Preset::builtin()[0].name;
        problems.push(format!(
            "there is no preset {configured}, so {instead} plays; khor presets lists all presets"
        ));
    }
    PresetsReport { ok: problems.is_empty(), folder: library.dir().display().to_string(), problems }
}

fn time_report() -> TimeReport {
    let local = Local::now();
    let trouble = local.problem.as_ref().map(trouble);
    TimeReport { zone: local.name(), ok: trouble.is_none(), trouble }
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
            // Omit counters that are missing only for the selected scope: `scope_report` reports
            // these.
            let shortfall = info.shortfall.as_ref().filter(|_| info.scope == Scope::Machine);
            let shortfall = shortfall.or(info.limit.as_ref());
            // Omit the interval of a site, because its hosts may use different intervals.
            let interval_ms = (info.kind != SourceKind::Site).then_some(info.interval_ms);
            (Some(info.kind), true, interval_ms, info.detail.clone(), shortfall)
        }
        SourceState::Down(shortfall) => (None, false, None, "lost".to_owned(), Some(shortfall)),
    };
    SourceReport { kind, ok, interval_ms, detail, trouble: shortfall.map(trouble) }
}

/// Reports which part of the machine khor counts. While the source is unavailable, reports the
/// configured scope instead.
fn scope_report(config: &Config, source: &SourceState) -> ScopeReport {
    let configured = scope_choice(config).as_written();
    let (scope, shortfall) = match source {
        SourceState::Up(info) => (&info.scope, info.shortfall.as_ref()),
        SourceState::Down(shortfall) => (&configured, Some(shortfall)),
        SourceState::Starting => (&configured, None),
    };
    // Omit counters that are missing for the whole machine: `source_report` reports these.
    let shortfall = shortfall.filter(|_| *scope != Scope::Machine);
    ScopeReport {
        whose: scope_label(scope),
        is_machine: *scope == Scope::Machine,
        cgroups: match source {
            SourceState::Up(_) => cgroups_of(scope),
            SourceState::Down(_) | SourceState::Starting => Vec::new(),
        },
        ok: shortfall.is_none(),
        trouble: shortfall.map(trouble),
    }
}

/// The scope report of an engine that plays a single host of a site.
fn single_host_report(single_host: &SingleHost) -> ScopeReport {
    let trouble: Option<Trouble> = single_host.shortfall.as_ref().map(trouble);
    ScopeReport {
        whose: single_host.host.clone(),
        is_machine: false,
        cgroups: Vec::new(),
        ok: trouble.is_none(),
        trouble,
    }
}

/// The field `bpf`, which existed in the first version of khor. It shows whether the collector's
/// BPF programs provide counters.
fn bpf_report(config: &Config, source: &SourceState) -> BpfReport {
    let health = match source {
        _ if !config.features.bpf || config.features.fake => Health::off(),
        SourceState::Up(info) if matches!(info.kind, SourceKind::Capture | SourceKind::Site) => Health::off(),
        _ if !config.site.name.is_empty() => Health::off(),
        SourceState::Up(info) => match &info.shortfall {
            // A selected scope may lack counters even if all probes work.
            Some(shortfall) if info.scope == Scope::Machine => {
                Health::failing(&shortfall.error, &shortfall.fix)
            }
            _ if info.kind == SourceKind::Collector => Health::working(),
            _ => Health::off(),
        },
        SourceState::Down(shortfall) => Health::failing(&shortfall.error, &shortfall.fix),
        SourceState::Starting => Health::starting(),
    };
    let err_code = i32::from(health.trouble.is_some());
    BpfReport { health, err_code }
}

fn missed_report(state: &EngineState) -> MissedReport {
    let events = state.counters.and_then(|counters| counters[Counter::MissedEvents.index()]);
    let reason = events.filter(|events| *events > 0).map(|events| {
        format!(
            "khor missed {events} events, so its counts are too low by that number: the kernel skips a collector program \
             that is already running on the same CPU, for example on PREEMPT_RT kernels"
        )
    });
    MissedReport { events, reason }
}

fn probes(source: &SourceState) -> Vec<ProbeReport> {
    let SourceState::Up(info) = source else { return Vec::new() };
    // The hosts of a site send signals, not counters.
    if info.kind == SourceKind::Site {
        return Vec::new();
    }
    std::iter::zip(Counter::ALL, &info.availability)
        .map(|(counter, availability)| {
            let reason = reason(availability);
            ProbeReport { name: counter.name().to_owned(), available: reason.is_none(), reason }
        })
        .collect()
}
