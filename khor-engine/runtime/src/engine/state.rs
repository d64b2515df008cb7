//! The state of a running engine that clients can read. A mutex guards it. Each thread holds the
//! mutex only for microseconds, and the audio callback never locks it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    num::ParseIntError,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use khor_api::{DesktopHealth, MetricsReport, OscInputHealth};
use khor_music::{MusicSnapshot, Note, Position};
use khor_proto::Cue;
use khor_signal::{Catalogue, Counters, LaneInfo, Lanes, PerCounter, PerLane, PerSignal, Reading};
use khor_site::Site;
use khor_source::{Shortfall, SourceInfo, SourceKind, scope_label};
use khor_system::clock::{now_unix_ms, unix_ms};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::broadcast;

use super::{report::WrittenPoint, silence::Silence, stage::StagePlan, totals::Totals};
use crate::fair_share;

/// Maximum number of stored points of history: two minutes at five points a second.
const HISTORY_POINTS: usize = 600;
/// Time between two points of history.
pub(super) const HISTORY_INTERVAL: Duration = Duration::from_millis(200);
/// Maximum number of stored notes, which a newly opened page receives. This number is enough for
/// sixteen busy bars.
const MAX_NOTES: usize = 512;

/// Maximum number of stored cues.
const MAX_CUES: usize = 64;

/// Maximum number of cues that wait for each receiver. Up to 20 cues of one kind can arrive at
/// once.
const CUES_QUEUE: usize = 64;

/// The number of a note. The first note after the start of the engine has the number 1.
pub(super) type NoteSeq = u64;
/// The number of a cue. The first cue after the start of the engine has the number 1.
pub(super) type CueSeq = u64;

/// The numbers of the last note and the last cue that a client has received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadPosition {
    pub(super) note: NoteSeq,
    pub(super) cue: CueSeq,
}

impl ReadPosition {
    /// Returns the position of a client that was at `self` and then received `report`.
    #[must_use]
    pub fn after<P>(self, report: &MetricsReport<P>) -> Self {
        Self {
            note: report.notes.last().map_or(self.note, |note| note.seq),
            cue: report.cues.last().map_or(self.cue, |cue| cue.seq),
        }
    }

    /// Removes from `report` all notes and cues that are newer than this position.
    pub fn limit<P>(self, report: &mut MetricsReport<P>) {
        report.notes.retain(|note| note.seq <= self.note);
        report.cues.retain(|cue| cue.seq <= self.cue);
    }
}

impl fmt::Display for ReadPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.note, self.cue)
    }
}

impl FromStr for ReadPosition {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (note, cue) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { note: note.parse()?, cue: cue.parse()? })
    }
}

/// The state with its mutex, and the channel that sends each cue to its receivers.
pub(super) struct SharedState {
    state: Mutex<EngineState>,
    cues: broadcast::Sender<Cue>,
}

impl SharedState {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), cues: broadcast::Sender::new(CUES_QUEUE) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, EngineState> {
        self.state.lock()
    }

    /// Stores a cue of `host`, or of this machine if `host` is `None`. [`CueEntry::share`] explains
    /// `share`.
    pub(super) fn cue(&self, cue: &Cue, host: Option<String>, share: Option<String>) {
        let Cue { kind, pid, comm, detail, .. } = cue.clone();
        let is_ours = host.is_none();
        self.lock().add_cue(CueEntry { host, share, pid, comm, detail, ..CueEntry::of(kind.name()) });
        if is_ours {
            // Ignore the error: sending fails if there is no receiver, which is common.
            drop(self.cues.send(cue.clone()));
        }
    }

    /// Subscribes to the cues of this machine.
    pub(super) fn cues(&self) -> broadcast::Receiver<Cue> {
        self.cues.subscribe()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) enum SourceState {
    /// No source has answered yet.
    #[default]
    Starting,
    /// The source delivers frames.
    Up(SourceInfo),
    /// The source is lost. The [`Shortfall`] states the reason.
    Down(Shortfall),
}

#[derive(Clone, Debug)]
pub(super) struct HistoryPoint {
    pub(super) ts_ms: u64,
    /// The lanes that the source had at this time.
    pub(super) catalogue: Catalogue,
    pub(super) levels: PerLane<Option<f32>>,
    pub(super) rates: PerLane<Option<f64>>,
    pub(super) counter_rates: PerCounter<Option<f64>>,
    /// The point as JSON, stored when a client first requests it.
    pub(super) written: OnceLock<WrittenPoint>,
}

/// The rates of a point of history.
pub(super) struct PastRates {
    /// Time of the point, in milliseconds since 1970.
    pub(super) ts_ms: u64,
    /// The lanes that the source had at this time.
    pub(super) catalogue: Catalogue,
    pub(super) rates: PerLane<Option<f64>>,
}

/// A note that was sent to the outputs. It is stored because clients display the latest notes.
#[derive(Clone, Debug)]
pub(super) struct PlayedNote {
    pub(super) seq: NoteSeq,
    /// Wall-clock time of the onset, in milliseconds since 1970.
    pub(super) ts_ms: u64,
    pub(super) note: Note,
    /// Name of the lane that the note plays. The name is stored instead of the id, because the next
    /// source may use the same id for another lane.
    pub(super) lane: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(super) struct CueEntry {
    pub(super) seq: CueSeq,
    /// Wall-clock time at which the cue arrived, in milliseconds since 1970.
    pub(super) ts_ms: u64,
    pub(super) kind: &'static str,
    /// The host of the site that reported the cue. `None` if the cue is from this machine.
    pub(super) host: Option<String>,
    /// The sender to which `fair_share::trim` attributes the cue. All cues with `None` count as
    /// cues of one sender.
    pub(super) share: Option<String>,
    pub(super) pid: Option<u32>,
    pub(super) comm: Option<String>,
    pub(super) detail: Option<u32>,
}

impl CueEntry {
    /// Creates a cue that arrives now, without a host or a process.
    pub(super) fn of(kind: &'static str) -> Self {
        let ts_ms = now_unix_ms();
        Self { seq: 0, ts_ms, kind, host: None, share: None, pid: None, comm: None, detail: None }
    }
}

/// The single host of a site that plays as if it were this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SingleHost {
    pub(super) host: String,
    /// Why the host does not play now. `None` if it plays.
    pub(super) shortfall: Option<Shortfall>,
}

/// All values that clients can read.
#[derive(Debug, Default)]
pub(super) struct EngineState {
    pub(super) source: SourceState,
    /// The totals of the source's counters. `None` while the source sends no frames.
    pub(super) counters: Option<Counters>,
    pub(super) totals: Totals,
    /// The signals that `bpf.enabled_mask` enables.
    pub(super) enabled_signals: PerSignal<bool>,
    /// The lanes that `reading` contains, with their names and units.
    pub(super) catalogue: Catalogue,
    pub(super) reading: Option<Reading>,
    /// The current site. It stays set while the site's server is unavailable.
    pub(super) site: Option<Arc<Site>>,
    /// The only host that plays. `None` if all hosts of the site play, or if there is no site.
    pub(super) single_host: Option<SingleHost>,
    /// Which hosts and sections of the site play.
    pub(super) plan: StagePlan,
    pub(super) history: VecDeque<HistoryPoint>,
    pub(super) notes: VecDeque<PlayedNote>,
    /// The current bar and step of the music.
    pub(super) position: Option<Position>,
    /// Wall-clock time at which the current bar began, in milliseconds since 1970.
    pub(super) bar_ts_ms: u64,
    pub(super) cues: VecDeque<CueEntry>,
    /// Number of cues that the kernel or the collector dropped because too many arrived at once.
    pub(super) cues_lost: u64,
    /// Number of cues since the engine started, by kind.
    pub(super) cue_counts: BTreeMap<&'static str, u64>,
    pub(super) silence: Silence,
    pub(super) osc_input_health: OscInputHealth,
    pub(super) desktop_health: DesktopHealth,
    /// Whether the baseline is frozen, so that the engine does not change it.
    pub(super) baseline_frozen: bool,
    /// The music that is sounding, and its causes.
    pub(super) sounding: Option<MusicSnapshot>,
    /// Number of notes that were dropped because they were too late.
    pub(super) late_notes: u64,
    newest_note: NoteSeq,
    newest_cue: CueSeq,
    history_at: Option<Instant>,
}

/// The deviation that clients receive: how far a lane is above or below its baseline, in octaves.
/// For one machine, it is computed from the displayed rate, so that it agrees with this rate. For
/// many hosts, it is the deviation of their combined lane, because no single rate describes them.
pub(super) fn reported_deviation(reading: &Reading, lane: &LaneInfo, is_of_many: bool) -> Option<f32> {
    if is_of_many {
        return reading.lanes.value(lane.id).map(|lane| lane.deviation);
    }
    reading.shown_deviation(lane)
}

impl EngineState {
    /// The lanes for the music. All lanes are missing if there is no reading.
    pub(super) fn lanes(&self) -> Lanes {
        self.reading.as_ref().map_or(Lanes::NONE, |reading| reading.lanes.clone())
    }

    /// Returns whether the reading combines many hosts.
    pub(super) fn is_of_many(&self) -> bool {
        self.site.is_some() && self.single_host.is_none()
    }

    /// Sets the site, and the plan of the hosts and sections that play.
    pub(super) fn set_site(&mut self, site: Arc<Site>, plan: StagePlan) {
        (self.site, self.plan) = (Some(site), plan);
    }

    /// Handles a lost or new source.
    pub(super) fn source_changed(&mut self, source: SourceState) {
        if let SourceState::Up(info) = &source {
            self.totals.source_up(&scope_label(&info.scope));
            if info.kind != SourceKind::Site {
                (self.site, self.single_host) = (None, None);
            }
        }
        self.plan = StagePlan::default();
        self.set_catalogue(Catalogue::kernel());
        self.source = source;
        self.reading = None;
        self.counters = None;
    }

    /// Sets the lanes that the next readings contain.
    pub(super) fn set_catalogue(&mut self, catalogue: Catalogue) {
        self.catalogue = catalogue;
    }

    /// Adds the counters of a frame, and the reading that was computed from it.
    pub(super) fn add_reading(&mut self, counters: &Counters, reading: Option<Reading>, now: Instant) {
        self.counters = Some(self.totals.add(counters));
        let Some(reading) = reading else { return };
        if self.history_at.is_none_or(|at| now.duration_since(at) >= HISTORY_INTERVAL) {
            self.history_at = Some(now);
            self.add_history(&reading);
        }
        self.reading = Some(reading);
    }

    fn add_history(&mut self, reading: &Reading) {
        if self.history.len() == HISTORY_POINTS {
            self.history.pop_front();
        }
        self.history.push_back(HistoryPoint {
            ts_ms: now_unix_ms(),
            catalogue: self.catalogue.clone(),
            levels: reading.levels(),
            rates: reading.rates.clone(),
            counter_rates: reading.counter_rates,
            written: OnceLock::new(),
        });
    }

    /// Copies the rates of all points of history after a time in milliseconds since 1970. The
    /// caller can then release the lock early.
    pub(super) fn rates_since(&self, ts_ms: u64) -> Vec<PastRates> {
        let later = self.history.iter().filter(|point| point.ts_ms > ts_ms);
        let rates = |HistoryPoint { ts_ms, catalogue, rates, .. }: &HistoryPoint| PastRates {
            ts_ms: *ts_ms,
            catalogue: catalogue.clone(),
            rates: rates.clone(),
        };
        later.map(rates).collect()
    }

    /// Gives a cue the next number, and stores it.
    pub(super) fn add_cue(&mut self, cue: CueEntry) {
        self.newest_cue += 1;
        *self.cue_counts.entry(cue.kind).or_default() += 1;
        self.cues.push_back(CueEntry { seq: self.newest_cue, ..cue });
        fair_share::trim(&mut self.cues, MAX_CUES, |cue| cue.share.as_deref());
    }

    /// Gives a note the next number, and stores it with the time of its `onset`.
    pub(super) fn add_note(&mut self, note: Note, onset: SystemTime) {
        self.newest_note += 1;
        if self.notes.len() == MAX_NOTES {
            self.notes.pop_front();
        }
        let lane = note.signal.and_then(|id| self.catalogue.get(id)).map(|lane| Arc::clone(&lane.name));
        self.notes.push_back(PlayedNote { seq: self.newest_note, ts_ms: unix_ms(onset), note, lane });
    }
}
