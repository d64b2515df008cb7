//! The state of `khor top`, which combines all events. A frame depends only on this state. All
//! times are from the engine's clock, because the engine may run on another machine.

use std::collections::VecDeque;

use khor_api::{
    ControlsReport, CueReport, FleetReport, HealthReport, MetricsReport, MusicReport, NoteReport,
    SignalReport, Table,
};
use khor_engine::fair_share;

use super::feed::EngineEvent;

/// How long levels and notes are stored, in milliseconds.
pub(super) const HISTORY_MS: u64 = 60_000;
/// Maximum number of stored cues.
const CUES: usize = 64;
/// Time between two updates of the displayed numbers, in milliseconds. Faster changes are hard to
/// read.
const FIGURES_INTERVAL_MS: u64 = 500;
/// How long the result of a key press stays visible, in milliseconds.
const MESSAGE_MS: u64 = 4_000;

/// State of the connection to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The engine has not answered yet.
    Connecting,
    /// The engine answers.
    Up,
    /// The connection was lost. The text states the reason.
    Lost(String),
}

/// A lane: one of the kernel's signals, or a quantity that the source adds.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    /// The report that is displayed for this lane. It changes only every [`FIGURES_INTERVAL_MS`],
    /// so that users can read it.
    pub(super) now: SignalReport,
    /// Past levels with their times, oldest first.
    pub(super) past: VecDeque<(u64, Option<f32>)>,
}

/// All values that a frame shows.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) link: Link,
    /// The current time of the engine's clock, in milliseconds since 1970.
    pub(super) ts_ms: u64,
    pub(super) health: Option<Box<HealthReport>>,
    /// The last report of the site. `None` if the engine does not support sites.
    pub(super) fleet: Option<FleetReport>,
    pub(super) controls: Option<ControlsReport>,
    pub(super) music: Option<MusicReport>,
    /// The lanes in the engine's order: first the kernel's signals, then the lanes that the source
    /// adds.
    pub(super) lanes: Vec<Lane>,
    /// The latest notes, oldest first.
    pub(super) notes: VecDeque<NoteReport>,
    /// The latest cues, oldest first.
    pub(super) cues: VecDeque<CueReport>,
    /// One sentence about the machine's activity.
    pub(super) sentence: String,
    /// The result of the last key press, and the time when it disappears.
    message: Option<(String, u64)>,
    /// Whether the help is visible.
    pub(super) help: bool,
    /// Whether the user chose to see the hosts (true) or the signals (false). `None` if the user
    /// has not chosen yet.
    pub(super) hosts: Option<bool>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            link: Link::Connecting,
            ts_ms: 0,
            health: None,
            fleet: None,
            controls: None,
            music: None,
            lanes: Vec::new(),
            notes: VecDeque::new(),
            cues: VecDeque::new(),
            sentence: String::new(),
            message: None,
            help: false,
            hosts: None,
        }
    }

    pub(super) fn apply(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Connected(metrics) => self.reset(metrics),
            EngineEvent::Metrics(metrics) => self.advance(metrics),
            EngineEvent::Health(health) => self.health = Some(health),
            EngineEvent::Fleet(fleet) => self.fleet = Some(fleet),
            EngineEvent::Sentence(sentence) => self.sentence = sentence,
            EngineEvent::Disconnected(why) => self.link = Link::Lost(why),
            EngineEvent::ActionDone(what) => self.message = Some((what, self.ts_ms + MESSAGE_MS)),
        }
    }

    /// Returns the result of the last key press, while it is visible.
    pub(super) fn message(&self) -> Option<&str> {
        let (what, until_ms) = self.message.as_ref()?;
        (self.ts_ms <= *until_ms).then_some(what)
    }

    /// Returns whether the hosts are visible instead of the signals. By default, they are visible
    /// if the engine plays a site.
    pub(super) fn shows_hosts(&self) -> bool {
        self.hosts.unwrap_or_else(|| self.site().is_some())
    }

    /// Returns the report that is displayed for a lane.
    pub(super) fn signal(&self, name: &str) -> Option<&SignalReport> {
        self.lanes.iter().find_map(|lane| (lane.name == name).then_some(&lane.now))
    }

    /// Returns the name of the site that the engine plays.
    pub(super) fn site(&self) -> Option<&str> {
        self.fleet.as_ref()?.site.as_deref()
    }

    /// Whether a snooze is active.
    pub(super) fn is_snoozed(&self) -> bool {
        self.controls.as_ref().is_some_and(|controls| controls.snoozed_until_ts_ms.is_some())
    }

    /// Replaces the history by that of the engine to which khor top has just connected. After a
    /// reconnect, this may be a different engine.
    fn reset(&mut self, mut metrics: MetricsReport) {
        self.lanes.clear();
        self.notes.clear();
        self.cues.clear();
        let history = metrics.history.take().unwrap_or_default();
        self.advance(metrics);
        let since_ms = self.ts_ms.saturating_sub(HISTORY_MS);
        for lane in &mut self.lanes {
            let past = history.iter().filter(|past| past.ts_ms >= since_ms && past.ts_ms < self.ts_ms);
            let levels = past.map(|past| (past.ts_ms, past.levels.get(&lane.name).copied().flatten()));
            lane.past = levels.chain(lane.past.drain(..)).collect();
        }
    }

    /// Updates the state with the values of a metrics event.
    fn advance(&mut self, metrics: MetricsReport) {
        let MetricsReport { ts_ms, controls, signals, notes, cues, music, .. } = metrics;
        let updates_numbers = ts_ms / FIGURES_INTERVAL_MS != self.ts_ms / FIGURES_INTERVAL_MS;
        self.link = Link::Up;
        self.ts_ms = ts_ms;
        self.controls = Some(controls);
        self.music = music;
        self.update_lanes(signals, updates_numbers);
        // Skip notes that are already stored: the first event of the stream repeats notes of the
        // initial state.
        let newest = self.notes.back().map_or(0, |note| note.seq);
        self.notes.extend(notes.into_iter().filter(|note| note.seq > newest));
        drop_old(&mut self.notes, |note| note.ts_ms + (1e3 * note.duration_s) as u64 + HISTORY_MS < ts_ms);
        let newest = self.cues.back().map_or(0, |cue| cue.seq);
        self.cues.extend(cues.into_iter().filter(|cue| cue.seq > newest));
        fair_share::trim(&mut self.cues, CUES, cue_share);
    }

    fn update_lanes(&mut self, signals: Table<SignalReport>, updates_numbers: bool) {
        let mut before = std::mem::take(&mut self.lanes);
        for (name, now) in signals.0 {
            let level = (self.ts_ms, now.level);
            let index = before.iter().position(|lane| lane.name == name);
            let mut lane = match index.map(|index| before.swap_remove(index)) {
                Some(lane) if updates_numbers => Lane { now, ..lane },
                Some(lane) => lane,
                None => Lane { name, now, past: VecDeque::new() },
            };
            lane.past.push_back(level);
            drop_old(&mut lane.past, |(at_ms, _)| at_ms + HISTORY_MS < self.ts_ms);
            self.lanes.push(lane);
        }
    }
}

/// Returns the sender of a cue, by which `fair_share::trim` groups the cues: the host that reported
/// it. Returns `None` for cues of this machine, and for cues about a lost or found host.
fn cue_share(cue: &CueReport) -> Option<&str> {
    cue.host.as_deref().filter(|_| !matches!(cue.kind.as_str(), "lost" | "found"))
}

/// Drops old entries from the front of the queue. Stops at the first entry that is not old.
fn drop_old<T>(queue: &mut VecDeque<T>, is_old: impl Fn(&T) -> bool) {
    while queue.front().is_some_and(&is_old) {
        queue.pop_front();
    }
}
