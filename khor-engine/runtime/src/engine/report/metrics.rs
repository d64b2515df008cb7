//! `GET /api/metrics`: rates, signals, and the sounding music.

use khor_music::{Layer, Role, Scale};
use khor_signal::{Counter, Family, PerSignal, SIGNALS, SignalId, SignalInfo};
use khor_source::SourceKind;
use khor_system::clock::now_unix_ms;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    history::{HistoryReport, WrittenPoint},
    table::{Table, reason},
};
use crate::{
    config::Config,
    engine::{
        original_rates::{original_rates, original_rates_of},
        silence::SilenceReport,
        stage::Solo,
        state::{
            CueEntry, CueSeq, EngineState, HistoryPoint, NoteSeq, PlayedNote, ReadPosition, SingleHost,
            SourceState, reported_deviation,
        },
    },
};

/// `GET /api/metrics` and the events of `GET /api/stream`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
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
    pub soloists: Vec<SoloReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<WrittenPoint>>,
}

/// What can be steered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
pub struct ControlsReport {
    pub bpm: f32,
    pub key_midi: u8,
    pub density: f32,
    pub smoothing: f32,
    pub preset: String,
    pub scale: Scale,
    pub master_gain: f32,
    /// Whether the sound device is silent, for any reason.
    pub muted: bool,
    /// Why the sound device is silent; `null` if it is not.
    pub silence: Option<SilenceReport>,
    pub snoozed_until_ts_ms: Option<u64>,
    pub quiet_until_ts_ms: Option<u64>,
}

/// One signal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields are documented in docs/api.md")]
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

#[derive(Clone, Debug, Serialize, JsonSchema)]
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

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CueReport {
    pub seq: CueSeq,
    pub ts_ms: u64,
    pub kind: &'static str,
    pub host: Option<String>,
    pub pid: Option<u32>,
    pub comm: Option<String>,
    pub detail: Option<u32>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MusicReport {
    pub bar: u64,
    pub step: u8,
    pub step_ms: f64,
    pub bar_ts_ms: u64,
}

/// A machine of a site that has the voices.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SoloReport {
    pub host: String,
    pub section: Option<String>,
    pub signal: &'static str,
    pub deviation: f32,
}

/// Why a signal that could be there isn't.
const MASKED: &str = "switched off by bpf.enabled_mask in the configuration";

impl MetricsReport {
    /// The read position after this report, for a client that had read up to `before`.
    pub fn until(&self, before: Option<ReadPosition>) -> ReadPosition {
        let before = before.unwrap_or_default();
        ReadPosition {
            note: self.notes.last().map_or(before.note, |note| note.seq),
            cue: self.cues.last().map_or(before.cue, |cue| cue.seq),
        }
    }

    /// Removes the notes and cues after a read position.
    pub fn truncate(&mut self, until: ReadPosition) {
        self.notes.retain(|note| note.seq <= until.note);
        self.cues.retain(|cue| cue.seq <= until.cue);
    }
}

/// Why a signal is missing; `None` if it is available.
fn absence(state: &EngineState, signal: SignalId) -> Option<String> {
    if !state.heard[signal.index()] {
        return Some(MASKED.to_owned());
    }
    match &state.source {
        SourceState::Starting => Some("no source has answered yet".to_owned()),
        SourceState::Down(shortfall) => Some(shortfall.error.clone()),
        SourceState::Up(info) if info.kind == SourceKind::Site => absence_in_site(state, signal),
        SourceState::Up(info) => {
            signal.counters().iter().find_map(|counter| reason(&info.availability[counter.index()]))
        }
    }
}

fn absence_in_site(state: &EngineState, signal: SignalId) -> Option<String> {
    match (&state.reading, &state.single_host) {
        (Some(reading), _) if reading.lanes[signal.index()].is_some() => None,
        (Some(_), Some(alone)) => Some(format!("{} does not have it", alone.host)),
        (Some(_), None) => Some("no host of the site has it".to_owned()),
        (None, Some(SingleHost { shortfall: Some(shortfall), .. })) => Some(shortfall.error.clone()),
        (None, _) => Some("no host of the site is heard".to_owned()),
    }
}

pub(in crate::engine) fn metrics(
    config: &Config,
    state: &EngineState,
    since: Option<ReadPosition>,
    with_history: bool,
) -> MetricsReport {
    // Numbers begin at 1.
    let since = since.unwrap_or_default();
    let rates = state.reading.as_ref().map_or_else(|| original_rates_of(|_| None), original_rates);
    MetricsReport {
        ts_ms: now_unix_ms(),
        totals: totals(state),
        rates: Table(rates.to_vec()),
        controls: controls(config, state),
        signals: signals(state),
        notes: state.notes.iter().filter(|n| n.seq > since.note).map(note_report).collect(),
        cues: state.cues.iter().filter(|c| c.seq > since.cue).map(cue_report).collect(),
        music: state.position.map(|position| MusicReport {
            bar: position.bar,
            step: position.step,
            step_ms: config.music_settings().step_s() * 1e3,
            bar_ts_ms: state.bar_ts_ms,
        }),
        soloists: state.plan.furthest().into_iter().map(solo_report).collect(),
        history: with_history.then(|| state.history.iter().filter_map(written).collect()),
    }
}

fn solo_report(solo: &Solo) -> SoloReport {
    SoloReport {
        host: solo.host.clone(),
        section: solo.section.clone(),
        signal: solo.signal.info().name,
        deviation: solo.deviation,
    }
}

/// The totals of the original khor, since the engine started. Only cues can be dropped: the kernel
/// counts all other events.
fn totals(state: &EngineState) -> Table<Option<u64>> {
    let total = |counter: Counter| state.counters.and_then(|counters| counters[counter.index()]);
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
        // Includes counters that the current source lacks. Otherwise the sum would fall when the
        // source changes.
        ("events_total", state.counters.map(|_| events.map(|counter| state.totals.of(counter)).iter().sum())),
        ("events_dropped", Some(state.cues_lost)),
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

pub(in crate::engine) fn controls(config: &Config, state: &EngineState) -> ControlsReport {
    let music = &config.music;
    ControlsReport {
        bpm: music.bpm,
        key_midi: music.key_midi,
        density: music.density,
        smoothing: music.smoothing,
        preset: music.preset.clone(),
        scale: music.scale,
        master_gain: config.audio.master_gain,
        muted: state.silence.is_muted(),
        silence: state.silence.report(),
        snoozed_until_ts_ms: state.silence.snoozed_until_ts_ms,
        quiet_until_ts_ms: state.silence.quiet_until_ts_ms,
    }
}

pub(in crate::engine) fn signals(state: &EngineState) -> Table<SignalReport> {
    Table(SIGNALS.iter().map(|info| (info.name, signal_report(state, info))).collect())
}

fn signal_report(state: &EngineState, info: &SignalInfo) -> SignalReport {
    let i = info.id.index();
    let reason = absence(state, info.id);
    let lane = state.reading.and_then(|reading| reading.lanes[i]);
    let deviation =
        state.reading.and_then(|reading| reported_deviation(&reading, info.id, state.is_of_many()));
    SignalReport {
        level: lane.map(|lane| lane.level),
        deviation,
        surprise: lane.map(|lane| lane.surprise),
        baseline: state.reading.and_then(|reading| reading.baselines[i]),
        rate: state.reading.and_then(|reading| reading.rates[i]),
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

fn cue_report(heard: &CueEntry) -> CueReport {
    let CueEntry { seq, ts_ms, kind, host, share: _, pid, comm, detail } = heard.clone();
    CueReport { seq, ts_ms, kind, host, pid, comm, detail }
}

fn written(point: &HistoryPoint) -> Option<WrittenPoint> {
    if let Some(written) = point.written.get() {
        return Some(written.clone());
    }
    let report = HistoryReport {
        ts_ms: point.ts_ms,
        original: Table(original_rates_of(|counter| point.counter_rates[counter.index()]).to_vec()),
        levels: by_name(&point.levels),
        rates: by_name(&point.rates),
    };
    let written = WrittenPoint::of(&report)?;
    Some(point.written.get_or_init(|| written).clone())
}

fn by_name<V: Copy>(values: &PerSignal<V>) -> Table<V> {
    Table(SIGNALS.iter().map(|info| (info.name, values[info.id.index()])).collect())
}
