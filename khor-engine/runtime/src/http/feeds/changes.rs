//! The event stream of changes. It sends the whole state first, and then only the changes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use khor_api::{
    BarReport, ConfigVersion, CueList, Greeting, HealthReport, LaneList, LaneReport, LaneValues,
    MetricsReport, MusicReport, NoteList, SentenceReport, SignalReport, SoloistList, StreamEvent,
    StreamState,
};
use khor_signal::Catalogue;
use tracing::error;

use super::feed::Publisher;
use crate::{
    engine::{Engine, ReadPosition, WrittenPoint},
    http::inert_json,
    rounding::{round, round_f32},
};

/// Time between two reads of the health, the sentence and the configuration. These values change
/// slowly or are expensive to compute.
const SLOW_INTERVAL: Duration = Duration::from_secs(1);
/// Two start times of a bar count as equal if they differ by less than this, in milliseconds. The
/// engine recomputes the start at each step, with small errors.
const BAR_TOLERANCE_MS: u64 = 20;

pub(super) struct ChangesPublisher {
    engine: Arc<Engine>,
    /// The state that the clients have after the last round.
    state: StreamState,
    /// The newest note and the newest cue of the last round.
    position: ReadPosition,
    /// When the health, the sentence and the configuration were last read.
    slow_at: Option<Instant>,
}

impl ChangesPublisher {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let mut state = StreamState::default();
        state.apply(StreamEvent::Greeting(Greeting {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_ts_ms: engine.started_ts_ms(),
        }));
        Self { engine, state, position: ReadPosition::default(), slow_at: None }
    }

    /// Returns the current state of the engine as events. The caller sends only the events that
    /// change `state`.
    fn present(&mut self) -> Vec<StreamEvent> {
        let metrics = self.engine.metrics(Some(self.position), false);
        self.position = self.position.after(&metrics);
        let mut events = self.slow_events();
        events.extend(metrics.music.map(|music| StreamEvent::Bar(self.bar(music))));
        events.extend(fast_events(&self.engine.catalogue(), metrics));
        events
    }

    /// Returns the health, the sentence and the configuration as events. Returns no events if less
    /// than a second has passed since it last returned them.
    fn slow_events(&mut self) -> Vec<StreamEvent> {
        let now = Instant::now();
        if self.slow_at.is_some_and(|at| now.duration_since(at) < SLOW_INTERVAL) {
            return Vec::new();
        }
        self.slow_at = Some(now);
        vec![
            StreamEvent::Health(Box::new(self.health())),
            StreamEvent::Sentence(SentenceReport { sentence: self.engine.explain().sentence }),
            StreamEvent::Config(ConfigVersion { tag: self.engine.config().tag() }),
        ]
    }

    /// Returns the current health. If only its time has changed, returns the previous report, so
    /// that khor does not send it again.
    fn health(&self) -> HealthReport {
        let new = self.engine.health();
        let known = self.state.health.as_ref();
        let is_known = |known: &&HealthReport| **known == HealthReport { ts_ms: known.ts_ms, ..new.clone() };
        known.filter(is_known).cloned().unwrap_or(new)
    }

    fn bar(&self, MusicReport { bar, bar_ts_ms, step_ms, .. }: MusicReport) -> BarReport {
        let new = BarReport { bar, bar_ts_ms, step_ms };
        let is_known = |known: &BarReport| {
            (known.bar, known.step_ms) == (bar, step_ms)
                && known.bar_ts_ms.abs_diff(bar_ts_ms) < BAR_TOLERANCE_MS
        };
        self.state.bar.filter(is_known).unwrap_or(new)
    }
}

impl Publisher for ChangesPublisher {
    type Message = Bytes;
    type Client = ();

    fn round(&mut self) -> Vec<Bytes> {
        let events = self.present();
        let changes = events.into_iter().filter(|event| self.state.apply(event.clone()));
        changes.filter_map(|event| message(&event)).collect()
    }

    fn greet(&self, (): &()) -> Vec<Bytes> {
        self.state.replicate().iter().filter_map(message).collect()
    }

    fn deliver((): &mut (), message: Bytes) -> Bytes {
        message
    }
}

fn message(event: &StreamEvent) -> Option<Bytes> {
    match inert_json::text(event) {
        Ok(text) => Some(format!("event:change\ndata:{text}\n\n").into()),
        Err(problem) => {
            error!("cannot write an event as JSON: {problem}");
            None
        }
    }
}

fn fast_events(catalogue: &Catalogue, metrics: MetricsReport<WrittenPoint>) -> [StreamEvent; 6] {
    let values = values(&metrics);
    let lanes = metrics.signals.iter().map(|(name, signal)| lane(catalogue, name, signal)).collect();
    [
        StreamEvent::Controls(metrics.controls),
        StreamEvent::Lanes(LaneList { lanes }),
        StreamEvent::Values(values),
        StreamEvent::Soloists(SoloistList { soloists: metrics.soloists }),
        StreamEvent::Cues(CueList { cues: metrics.cues }),
        StreamEvent::Notes(NoteList { notes: metrics.notes }),
    ]
}

fn lane(catalogue: &Catalogue, name: &str, signal: &SignalReport) -> LaneReport {
    let SignalReport { unit, label, family, available, reason, .. } = signal.clone();
    let grain = catalogue.find(name).map_or(1.0, |lane| lane.scale.grain);
    LaneReport { name: name.to_owned(), label, family, unit, grain, available, reason }
}

fn values(metrics: &MetricsReport<WrittenPoint>) -> LaneValues {
    let signals = || metrics.signals.iter().map(|(_, signal)| signal);
    let bytes = |kilobytes: Option<f64>| kilobytes.map(|kilobytes| round(1e3 * kilobytes));
    LaneValues {
        ts_ms: metrics.ts_ms,
        level: signals().map(|signal| signal.level.map(round_f32)).collect(),
        deviation: signals().map(|signal| signal.deviation.map(round_f32)).collect(),
        surprise: signals().map(|signal| signal.surprise.map(round_f32)).collect(),
        rate: signals().map(|signal| signal.rate.map(round)).collect(),
        baseline: signals().map(|signal| signal.baseline.map(round)).collect(),
        disk_read_bytes_s: bytes(metrics.rates.blk_r_kbs),
        disk_written_bytes_s: bytes(metrics.rates.blk_w_kbs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::quiet_engine;

    fn event(message: &Bytes) -> StreamEvent {
        let text = std::str::from_utf8(message).unwrap();
        let data = text.strip_prefix("event:change\ndata:").and_then(|rest| rest.strip_suffix("\n\n"));
        serde_json::from_str(data.unwrap_or_else(|| panic!("{text}"))).unwrap()
    }

    fn applied(mut state: StreamState, messages: &[Bytes]) -> StreamState {
        for message in messages {
            state.apply(event(message));
        }
        state
    }

    #[tokio::test]
    async fn greeted_and_updated_clients_agree() {
        let (engine, _dir) = quiet_engine();
        let mut publisher = ChangesPublisher::new(engine);
        publisher.round();
        let mut early = applied(StreamState::default(), &publisher.greet(&()));
        assert!(early.health.is_some() && early.controls.is_some() && early.values.is_some());
        assert_eq!(early.lanes.len(), khor_signal::SIGNALS.len());
        publisher.engine.set_muted(true);
        early = applied(early, &publisher.round());
        let late = applied(StreamState::default(), &publisher.greet(&()));
        assert!(late.controls.as_ref().is_some_and(|controls| controls.muted));
        assert_eq!(early, late);
    }

    #[tokio::test]
    async fn only_changes_are_sent() {
        let (engine, _dir) = quiet_engine();
        let mut publisher = ChangesPublisher::new(engine);
        publisher.round();
        std::thread::sleep(Duration::from_millis(2));
        // Make the next round read the health, the sentence and the configuration again. Of these,
        // only the health may have changed, because the sound thread is running.
        publisher.slow_at = None;
        let events: Vec<StreamEvent> = publisher.round().iter().map(event).collect();
        let is_steady = |event: &StreamEvent| {
            !matches!(
                event,
                StreamEvent::Greeting(_)
                    | StreamEvent::Controls(_)
                    | StreamEvent::Lanes(_)
                    | StreamEvent::Sentence(_)
                    | StreamEvent::Config(_)
            )
        };
        assert!(events.iter().all(is_steady), "{events:?}");
        assert!(events.iter().any(|event| matches!(event, StreamEvent::Values(_))), "{events:?}");
    }
}
