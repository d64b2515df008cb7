//! The report of `GET /api/metrics`: rates, signals, and the music that plays.

use khor_api::{
    ControlsReport, CueReport, HistoryPoint, MetricsReport, MusicReport, NoteReport, OriginalTotals,
    SignalReport, SoloReport, Table,
};
use khor_config::Config;
use khor_signal::{Catalogue, Counter, LaneId, LaneInfo, PerLane};
use khor_source::SourceKind;
use khor_system::clock::now_unix_ms;

use super::{convert::reason, history::WrittenPoint};
use crate::engine::{
    original_rates::{original_rates, original_rates_of},
    settings::music_settings,
    stage::Solo,
    state::{
        self, CueEntry, EngineState, PlayedNote, ReadPosition, SingleHost, SourceState, reported_deviation,
    },
};

/// The reason that is reported for a signal that the configuration disables.
const MASKED: &str = "switched off by bpf.enabled_mask in the configuration";

/// Why a lane is missing. `None` if it is available.
fn absence(state: &EngineState, lane: LaneId) -> Option<String> {
    if lane.signal().is_some_and(|signal| !state.enabled_signals[signal.index()]) {
        return Some(MASKED.to_owned());
    }
    match &state.source {
        SourceState::Starting => Some("no source has answered yet".to_owned()),
        SourceState::Down(shortfall) => Some(shortfall.error.clone()),
        SourceState::Up(info) if info.kind == SourceKind::Site => absence_in_site(state, lane),
        SourceState::Up(info) => match lane.signal() {
            Some(signal) => {
                signal.counters().iter().find_map(|counter| reason(&info.availability[counter.index()]))
            }
            None if has_lane(state, lane) => None,
            None => Some("the source sends no value for this signal now".to_owned()),
        },
    }
}

/// Returns whether the current reading has a value for the lane.
fn has_lane(state: &EngineState, lane: LaneId) -> bool {
    state.reading.as_ref().is_some_and(|reading| reading.lanes.value(lane).is_some())
}

/// Why a lane of a site is missing. `None` if it is available.
fn absence_in_site(state: &EngineState, lane: LaneId) -> Option<String> {
    match (&state.reading, &state.single_host) {
        (Some(_), _) if has_lane(state, lane) => None,
        (Some(_), Some(single_host)) => {
            Some(format!("the host {} does not send this signal", single_host.host))
        }
        (Some(_), None) => Some("no host of the site sends this signal".to_owned()),
        (None, Some(SingleHost { shortfall: Some(shortfall), .. })) => Some(shortfall.error.clone()),
        (None, _) => Some("no host of the site sends data now".to_owned()),
    }
}

pub(in crate::engine) fn metrics(
    config: &Config,
    state: &EngineState,
    since: Option<ReadPosition>,
    with_history: bool,
) -> MetricsReport<WrittenPoint> {
    // Notes and cues are numbered from 1, so the default position 0 selects all of them.
    let since = since.unwrap_or_default();
    MetricsReport {
        ts_ms: now_unix_ms(),
        totals: totals(state),
        rates: state.reading.as_ref().map(original_rates).unwrap_or_default(),
        controls: controls(config, state),
        signals: signals(state),
        notes: state.notes.iter().filter(|n| n.seq > since.note).map(note_report).collect(),
        cues: state.cues.iter().filter(|c| c.seq > since.cue).map(cue_report).collect(),
        music: state.position.map(|position| MusicReport {
            bar: position.bar,
            step: position.step,
            step_ms: music_settings(config).step_s() * 1e3,
            bar_ts_ms: state.bar_ts_ms,
        }),
        soloists: state
            .plan
            .soloists_by_deviation()
            .into_iter()
            .map(|solo| solo_report(state, solo))
            .collect(),
        history: with_history.then(|| state.history.iter().filter_map(written).collect()),
    }
}

/// Returns the stored notes that begin after `since_ts_ms`, a time in milliseconds since 1970.
pub(in crate::engine) fn notes_since(state: &EngineState, since_ts_ms: u64) -> Vec<NoteReport> {
    state.notes.iter().filter(|note| note.ts_ms > since_ts_ms).map(note_report).collect()
}

fn solo_report(state: &EngineState, solo: &Solo) -> SoloReport {
    SoloReport {
        host: solo.host.clone(),
        section: solo.section.clone(),
        signal: state.catalogue.get(solo.signal).map_or("", |lane| &lane.name).to_owned(),
        deviation: solo.deviation,
    }
}

/// Returns the totals in the form that the first version of khor published. `events_dropped` counts
/// only cues, because the kernel counts all other events and drops none.
fn totals(state: &EngineState) -> OriginalTotals {
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
    OriginalTotals {
        // Include the totals of counters that the current source does not provide. Otherwise the
        // sum would fall when the source changes.
        events_total: state.counters.map(|_| events.map(|counter| state.totals.of(counter)).iter().sum()),
        events_dropped: Some(state.cues_lost),
        exec_total: total(Counter::Execs),
        net_rx_bytes_total: total(Counter::RxBytes),
        net_tx_bytes_total: total(Counter::TxBytes),
        sched_switch_total: total(Counter::Switches),
        blk_read_bytes_total: total(Counter::ReadBytes),
        blk_write_bytes_total: total(Counter::WriteBytes),
        tcp_retransmit_total: total(Counter::Retransmits),
        irq_total: total(Counter::Irqs),
    }
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
    state.catalogue.iter().map(|info| (&*info.name, signal_report(state, info))).collect()
}

fn signal_report(state: &EngineState, info: &LaneInfo) -> SignalReport {
    let reason = absence(state, info.id);
    let reading = state.reading.as_ref();
    let lane = reading.and_then(|reading| reading.lanes.value(info.id));
    let deviation = reading.and_then(|reading| reported_deviation(reading, info, state.is_of_many()));
    SignalReport {
        level: lane.map(|lane| lane.level),
        deviation,
        surprise: lane.map(|lane| lane.surprise),
        baseline: reading.and_then(|reading| reading.baselines.value(info.id)),
        rate: reading.and_then(|reading| reading.rates.value(info.id)),
        unit: info.unit.as_ref().to_owned(),
        label: info.label.as_ref().to_owned(),
        family: info.family,
        available: reason.is_none(),
        reason,
    }
}

fn note_report(played: &PlayedNote) -> NoteReport {
    let PlayedNote { seq, ts_ms, note, lane } = played;
    NoteReport {
        seq: *seq,
        ts_ms: *ts_ms,
        midi: note.midi,
        velocity: note.velocity,
        duration_s: note.duration_s,
        role: note.role,
        layer: note.layer,
        channel: note.role.midi_channel(),
        signal: lane.as_ref().map(|name| name.as_ref().to_owned()),
    }
}

fn cue_report(cue: &CueEntry) -> CueReport {
    let CueEntry { seq, ts_ms, kind, host, share: _, pid, comm, detail } = cue.clone();
    CueReport { seq, ts_ms, kind: kind.to_owned(), host, pid, comm, detail }
}

/// The point as JSON. The first call serialises it, and later calls reuse the text.
fn written(point: &state::HistoryPoint) -> Option<WrittenPoint> {
    if let Some(written) = point.written.get() {
        return Some(written.clone());
    }
    let report = HistoryPoint {
        ts_ms: point.ts_ms,
        original: original_rates_of(|counter| point.counter_rates[counter.index()]),
        levels: by_name(&point.catalogue, &point.levels),
        rates: by_name(&point.catalogue, &point.rates),
    };
    let written = WrittenPoint::of(&report)?;
    Some(point.written.get_or_init(|| written).clone())
}

fn by_name<V: Copy>(catalogue: &Catalogue, values: &PerLane<Option<V>>) -> Table<Option<V>> {
    catalogue.iter().map(|info| (&*info.name, values.value(info.id))).collect()
}
