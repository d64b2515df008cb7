//! The state in the shapes of the API (docs/api.md). Pure: reads, computes nothing.

use std::time::SystemTime;

use khor_proto::Availability;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    Library, Shown,
    listener::{original_rates, original_rates_of},
    state::{CueSeq, HeardCue, HistoryPoint, NoteSeq, PlayedNote, Seen, Since, SourceState, unix_ms},
};
use crate::{
    config::Config,
    music::{Layer, Preset, Role, Scale},
    output::{Health, audio, osc},
    signal::{Counter, Family, PerSignal, SIGNALS, SignalId, SignalInfo},
    source::SourceKind,
};

/// A JSON object whose keys keep their order.
#[derive(Clone, Debug)]
pub struct Table<V>(Vec<(&'static str, V)>);

impl<V: Serialize> Serialize for Table<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// `GET /api/health`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
pub struct HealthReport {
    pub ts_ms: u64,
    pub version: &'static str,
    pub config_path: String,
    pub host: HostReport,
    pub source: SourceReport,
    pub probes: Vec<ProbeReport>,
    pub audio: AudioReport,
    pub bpf: BpfReport,
    pub midi: MidiReport,
    pub osc: OscReport,
    pub presets: PresetsReport,
    pub baseline: BaselineReport,
    pub config: ConfigReport,
    pub features: FeaturesReport,
}

#[derive(Clone, Debug, Serialize)]
pub struct PresetsReport {
    pub ok: bool,
    pub folder: String,
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct BaselineReport {
    pub learnt: Option<f32>,
    pub learning: Option<bool>,
    pub frozen: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct HostReport {
    pub name: String,
    pub kernel: String,
    pub cpus: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    pub kind: Option<SourceKind>,
    pub ok: bool,
    pub interval_ms: Option<u16>,
    pub detail: String,
    pub error: Option<String>,
    pub fix: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ProbeReport {
    pub name: &'static str,
    pub available: bool,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct AudioReport {
    #[serde(flatten)]
    pub health: Health,
    pub backend: Option<String>,
    pub device: Option<String>,
    pub sample_rate_hz: Option<u32>,
    pub muted: bool,
    pub restarts: u32,
    pub xruns: u64,
    pub callback_load: f32,
    pub latency_ms: f32,
    pub peak: f32,
    pub voices: u32,
    pub voice_limit: u32,
    pub dropped_notes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct BpfReport {
    #[serde(flatten)]
    pub health: Health,
    pub err_code: i32,
}

#[derive(Clone, Debug, Serialize)]
pub struct MidiReport {
    #[serde(flatten)]
    pub health: Health,
    pub port: String,
    pub channel: u8,
}

#[derive(Clone, Debug, Serialize)]
pub struct OscReport {
    #[serde(flatten)]
    pub health: Health,
    pub host: String,
    pub port: u16,
    pub targets: Vec<osc::TargetHealth>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ConfigReport {
    pub ok: bool,
    pub error: Option<String>,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FeaturesReport {
    pub fake: bool,
}

/// `GET /api/metrics` and the events of `GET /api/stream`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
pub struct MetricsReport {
    pub ts_ms: u64,
    pub totals: Table<Option<u64>>,
    pub rates: Table<Option<f64>>,
    pub controls: ControlsReport,
    pub signals: Table<SignalReport>,
    pub notes: Vec<NoteReport>,
    pub cues: Vec<CueReport>,
    pub music: Option<MusicReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<HistoryReport>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ControlsReport {
    pub bpm: f32,
    pub key_midi: u8,
    pub density: f32,
    pub smoothing: f32,
    pub preset: String,
    pub scale: Scale,
    pub master_gain: f32,
    pub muted: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct SignalReport {
    pub level: Option<f32>,
    pub deviation: Option<f32>,
    pub surprise: Option<f32>,
    pub rate: Option<f64>,
    pub baseline: Option<f64>,
    pub unit: &'static str,
    pub label: &'static str,
    pub family: Family,
    pub available: bool,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct NoteReport {
    pub seq: NoteSeq,
    pub ts_ms: u64,
    pub midi: u8,
    pub velocity: f32,
    pub duration_s: f32,
    pub role: Role,
    pub layer: Layer,
    pub channel: u8,
    pub signal: Option<SignalId>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CueReport {
    pub seq: CueSeq,
    pub ts_ms: u64,
    pub kind: &'static str,
    pub pid: Option<u32>,
    pub comm: Option<String>,
    pub detail: Option<u32>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MusicReport {
    pub bar: u64,
    pub step: u8,
    pub step_ms: f64,
    pub bar_ts_ms: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct HistoryReport {
    pub ts_ms: u64,
    #[serde(flatten)]
    pub original: Table<Option<f64>>,
    pub levels: Table<Option<f32>>,
    pub rates: Table<Option<f64>>,
}

/// Why a signal that could be there isn't.
const MASKED: &str = "switched off by bpf.enabled_mask in the configuration";

impl MetricsReport {
    /// Up to where this report tells, for one who had read up to `before`.
    pub fn until(&self, before: Option<Since>) -> Since {
        let before = before.unwrap_or_default();
        Since {
            note: self.notes.last().map_or(before.note, |note| note.seq),
            cue: self.cues.last().map_or(before.cue, |cue| cue.seq),
        }
    }
}

pub(super) fn health(
    shown: &Shown,
    library: &Library,
    seen: &Seen,
    audio: &audio::Output,
    osc: &osc::Output,
    midi: &Health,
) -> HealthReport {
    let config = &shown.config;
    let (status, meters) = (audio.status(), audio.meters());
    let source = source_report(&seen.source);
    HealthReport {
        ts_ms: unix_ms(SystemTime::now()),
        version: env!("CARGO_PKG_VERSION"),
        config_path: shown.path.display().to_string(),
        host: host_report(),
        bpf: bpf_report(config, &seen.source),
        source,
        probes: probes(&seen.source),
        audio: AudioReport {
            health: if config.features.audio && !status.health.enabled {
                Health { enabled: true, ..status.health }
            } else {
                status.health
            },
            backend: status.backend,
            device: status.device,
            sample_rate_hz: status.sample_rate_hz,
            muted: seen.muted,
            restarts: status.restarts,
            xruns: status.xruns,
            callback_load: meters.callback_load,
            latency_ms: 1000.0 * meters.latency_s,
            peak: meters.peak,
            voices: meters.voices,
            voice_limit: meters.voice_limit,
            dropped_notes: meters.dropped_notes,
        },
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
        },
        presets: presets(config, library),
        baseline: BaselineReport {
            learnt: seen.reading.map(|reading| reading.learnt),
            learning: seen.reading.map(|reading| reading.learnt < 1.0 && !seen.baseline_frozen),
            frozen: seen.baseline_frozen,
        },
        config: ConfigReport { ok: shown.warnings.is_empty(), error: None, warnings: shown.warnings.clone() },
        features: FeaturesReport { fake: config.features.fake },
    }
}

fn presets(config: &Config, library: &Library) -> PresetsReport {
    let mut problems = library.problems();
    let wanted = &config.music.preset;
    if library.find(wanted).is_none() {
        let instead = &Preset::builtin()[0].name;
        problems.push(format!("there is no preset {wanted}: {instead} plays; see khor presets"));
    }
    PresetsReport { ok: problems.is_empty(), folder: library.dir().display().to_string(), problems }
}

fn host_report() -> HostReport {
    let kernel = nix::sys::utsname::uname();
    HostReport {
        name: nix::unistd::gethostname().map_or_else(|_| String::new(), |n| n.to_string_lossy().into_owned()),
        kernel: kernel.map_or_else(|_| String::new(), |u| u.release().to_string_lossy().into_owned()),
        cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    }
}

fn source_report(source: &SourceState) -> SourceReport {
    let (kind, ok, interval_ms, detail, shortfall) = match source {
        SourceState::Starting => (None, false, None, "looking for the collector".to_owned(), None),
        SourceState::Up(info) => {
            (Some(info.kind), true, Some(info.interval_ms), info.detail.clone(), info.shortfall.clone())
        }
        SourceState::Down(shortfall) => (None, false, None, "lost".to_owned(), Some(shortfall.clone())),
    };
    let (error, fix) = shortfall.map(|shortfall| (shortfall.error, shortfall.fix)).unzip();
    SourceReport { kind, ok, interval_ms, detail, error, fix }
}

/// The original's `bpf` block: whether the kernel's probes are heard.
fn bpf_report(config: &Config, source: &SourceState) -> BpfReport {
    let health = match source {
        _ if !config.features.bpf || config.features.fake => Health::off(),
        SourceState::Up(info) if info.kind == SourceKind::Capture => Health::off(),
        SourceState::Up(info) if info.kind == SourceKind::Collector => Health::working(),
        SourceState::Up(info) => match &info.shortfall {
            Some(shortfall) => Health::failing(&shortfall.error, &shortfall.fix),
            None => Health::off(),
        },
        SourceState::Down(shortfall) => Health::failing(&shortfall.error, &shortfall.fix),
        SourceState::Starting => Health::starting(),
    };
    let err_code = i32::from(health.error.is_some());
    BpfReport { health, err_code }
}

fn probes(source: &SourceState) -> Vec<ProbeReport> {
    let SourceState::Up(info) = source else { return Vec::new() };
    std::iter::zip(Counter::ALL, &info.availability)
        .map(|(counter, availability)| {
            let reason = reason(availability);
            ProbeReport { name: counter.name(), available: reason.is_none(), reason }
        })
        .collect()
}

fn reason(availability: &Availability) -> Option<String> {
    match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason.clone()),
    }
}

/// Why a signal is absent; `None` when it isn't.
fn absence(seen: &Seen, signal: SignalId) -> Option<String> {
    if !seen.heard[signal.index()] {
        return Some(MASKED.to_owned());
    }
    match &seen.source {
        SourceState::Starting => Some("no source has answered yet".to_owned()),
        SourceState::Down(shortfall) => Some(shortfall.error.clone()),
        SourceState::Up(info) => {
            signal.counters().iter().find_map(|counter| reason(&info.availability[counter.index()]))
        }
    }
}

pub(super) fn metrics(
    config: &Config,
    seen: &Seen,
    since: Option<Since>,
    with_history: bool,
) -> MetricsReport {
    // Numbers begin at 1.
    let since = since.unwrap_or_default();
    let rates = seen.reading.as_ref().map_or_else(|| original_rates_of(|_| None), original_rates);
    MetricsReport {
        ts_ms: unix_ms(SystemTime::now()),
        totals: totals(seen),
        rates: Table(rates.to_vec()),
        controls: controls(config, seen),
        signals: Table(SIGNALS.iter().map(|info| (info.name, signal_report(seen, info))).collect()),
        notes: seen.notes.iter().filter(|n| n.seq > since.note).map(note_report).collect(),
        cues: seen.cues.iter().filter(|c| c.seq > since.cue).map(cue_report).collect(),
        music: seen.position.map(|position| MusicReport {
            bar: position.bar,
            step: position.step,
            step_ms: config.music_settings().step_s() * 1e3,
            bar_ts_ms: seen.bar_ts_ms,
        }),
        history: with_history.then(|| seen.history.iter().map(history_report).collect()),
    }
}

/// The original's totals. Events are those the kernel told of; counted ones cannot be dropped, cues can.
fn totals(seen: &Seen) -> Table<Option<u64>> {
    let total = |counter: Counter| seen.counters.and_then(|counters| counters[counter.index()]);
    let events = [
        Counter::Execs,
        Counter::Forks,
        Counter::RxPackets,
        Counter::TxPackets,
        Counter::Switches,
        Counter::ReadRequests,
        Counter::WriteRequests,
        Counter::Retransmits,
        Counter::Irqs,
    ];
    Table(vec![
        ("events_total", seen.counters.map(|_| events.into_iter().filter_map(total).sum())),
        ("events_dropped", Some(seen.cues_lost)),
        ("exec_total", total(Counter::Execs)),
        ("net_rx_bytes_total", total(Counter::RxBytes)),
        ("net_tx_bytes_total", total(Counter::TxBytes)),
        ("sched_switch_total", total(Counter::Switches)),
        ("blk_read_bytes_total", total(Counter::ReadBytes)),
        ("blk_write_bytes_total", total(Counter::WriteBytes)),
        ("tcp_retransmit_total", total(Counter::Retransmits)),
        ("irq_total", total(Counter::Irqs)),
    ])
}

fn controls(config: &Config, seen: &Seen) -> ControlsReport {
    let music = &config.music;
    ControlsReport {
        bpm: music.bpm,
        key_midi: music.key_midi,
        density: music.density,
        smoothing: music.smoothing,
        preset: music.preset.clone(),
        scale: music.scale,
        master_gain: config.audio.master_gain,
        muted: seen.muted,
    }
}

fn signal_report(seen: &Seen, info: &SignalInfo) -> SignalReport {
    let i = info.id.index();
    let reason = absence(seen, info.id);
    let lane = seen.reading.and_then(|reading| reading.lanes[i]);
    SignalReport {
        level: lane.map(|lane| lane.level),
        deviation: lane.map(|lane| lane.deviation),
        surprise: lane.map(|lane| lane.surprise),
        baseline: seen.reading.and_then(|reading| reading.baselines[i]),
        rate: seen.reading.and_then(|reading| reading.rates[i]),
        unit: info.unit,
        label: info.label,
        family: info.family,
        available: reason.is_none(),
        reason,
    }
}

fn note_report(played: &PlayedNote) -> NoteReport {
    let PlayedNote { seq, ts_ms, note } = *played;
    NoteReport {
        seq,
        ts_ms,
        midi: note.midi,
        velocity: note.velocity,
        duration_s: note.duration_s,
        role: note.role,
        layer: note.layer,
        channel: note.role.midi_channel(),
        signal: note.signal,
    }
}

fn cue_report(heard: &HeardCue) -> CueReport {
    let HeardCue { seq, ts_ms, cue } = heard;
    CueReport {
        seq: *seq,
        ts_ms: *ts_ms,
        kind: cue.kind.name(),
        pid: cue.pid,
        comm: cue.comm.clone(),
        detail: cue.detail,
    }
}

fn history_report(point: &HistoryPoint) -> HistoryReport {
    HistoryReport {
        ts_ms: point.ts_ms,
        original: Table(original_rates_of(|counter| point.counter_rates[counter.index()]).to_vec()),
        levels: by_name(&point.levels),
        rates: by_name(&point.rates),
    }
}

fn by_name<V: Copy>(values: &PerSignal<V>) -> Table<V> {
    Table(SIGNALS.iter().map(|info| (info.name, values[info.id.index()])).collect())
}
