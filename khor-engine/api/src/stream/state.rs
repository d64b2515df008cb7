//! The state that a client of the event stream builds from the events.

use std::collections::VecDeque;

use super::{
    BarReport, CueList, Greeting, LaneList, LaneReport, LaneValues, MAX_CUES, MAX_NOTES, NoteList,
    SoloistList, StreamEvent,
};
use crate::{ConfigVersion, ControlsReport, CueReport, HealthReport, NoteReport, SentenceReport, SoloReport};

/// The state of the engine that a client of the event stream knows. A part is `None` until its
/// first event arrives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamState {
    /// The version and the start time of the engine.
    pub greeting: Option<Greeting>,
    /// The health of every part of the engine.
    pub health: Option<HealthReport>,
    /// The current controls.
    pub controls: Option<ControlsReport>,
    /// The lanes, in the order of the catalogue.
    pub lanes: Vec<LaneReport>,
    /// The values of the lanes.
    pub values: Option<LaneValues>,
    /// The current bar; `None` until the music has begun.
    pub bar: Option<BarReport>,
    /// The soloists: the hosts of a site whose voices play.
    pub soloists: Vec<SoloReport>,
    /// The current activity of the machine, in one sentence.
    pub sentence: Option<SentenceReport>,
    /// The version of the configuration.
    pub config: Option<ConfigVersion>,
    /// The newest cues, at most [`MAX_CUES`], oldest first.
    pub cues: VecDeque<CueReport>,
    /// The newest notes, at most [`MAX_NOTES`], oldest first.
    pub notes: VecDeque<NoteReport>,
}

impl StreamState {
    /// Applies an event. Returns whether the state changed. The engine uses the result to send only
    /// events that change the state.
    pub fn apply(&mut self, event: StreamEvent) -> bool {
        match event {
            StreamEvent::Greeting(greeting) => self.begin(greeting),
            StreamEvent::Health(health) => replace(&mut self.health, Some(*health)),
            StreamEvent::Controls(controls) => replace(&mut self.controls, Some(controls)),
            StreamEvent::Lanes(LaneList { lanes }) => self.set_lanes(lanes),
            StreamEvent::Values(values) => self.set_values(values),
            StreamEvent::Bar(bar) => replace(&mut self.bar, Some(bar)),
            StreamEvent::Soloists(SoloistList { soloists }) => replace(&mut self.soloists, soloists),
            StreamEvent::Sentence(sentence) => replace(&mut self.sentence, Some(sentence)),
            StreamEvent::Config(version) => replace(&mut self.config, Some(version)),
            StreamEvent::Cues(CueList { cues }) => append(&mut self.cues, cues, MAX_CUES, |cue| cue.seq),
            StreamEvent::Notes(NoteList { notes }) => {
                append(&mut self.notes, notes, MAX_NOTES, |note| note.seq)
            }
            StreamEvent::Unknown => false,
        }
    }

    /// The events that build this state from [`StreamState::default`], the most urgent event first.
    pub fn replicate(&self) -> Vec<StreamEvent> {
        let cues: Vec<_> = self.cues.iter().cloned().collect();
        let notes: Vec<_> = self.notes.iter().cloned().collect();
        let events = [
            self.greeting.clone().map(StreamEvent::Greeting),
            self.health.clone().map(|health| StreamEvent::Health(Box::new(health))),
            self.controls.clone().map(StreamEvent::Controls),
            non_empty(self.lanes.clone()).map(|lanes| StreamEvent::Lanes(LaneList { lanes })),
            self.values.clone().map(StreamEvent::Values),
            self.bar.map(StreamEvent::Bar),
            non_empty(self.soloists.clone()).map(|soloists| StreamEvent::Soloists(SoloistList { soloists })),
            self.sentence.clone().map(StreamEvent::Sentence),
            self.config.clone().map(StreamEvent::Config),
            non_empty(cues).map(|cues| StreamEvent::Cues(CueList { cues })),
            non_empty(notes).map(|notes| StreamEvent::Notes(NoteList { notes })),
        ];
        events.into_iter().flatten().collect()
    }

    /// Drops the state of an earlier connection.
    fn begin(&mut self, greeting: Greeting) -> bool {
        *self = Self { greeting: Some(greeting), ..Self::default() };
        true
    }

    /// Sets the lanes. If they change, drops the values, because the values belong to the previous
    /// lanes.
    fn set_lanes(&mut self, lanes: Vec<LaneReport>) -> bool {
        let is_changed = replace(&mut self.lanes, lanes);
        if is_changed {
            self.values = None;
        }
        is_changed
    }

    /// Sets the values. Ignores them if their number differs from the number of lanes.
    fn set_values(&mut self, values: LaneValues) -> bool {
        values.fits(self.lanes.len()) && replace(&mut self.values, Some(values))
    }
}

impl LaneValues {
    /// Whether each list (levels, deviations and so on) has exactly one value for each of the
    /// `lanes` lanes.
    fn fits(&self, lanes: usize) -> bool {
        let Self { level, deviation, surprise, rate, baseline, .. } = self;
        [level.len(), deviation.len(), surprise.len(), rate.len(), baseline.len()] == [lanes; 5]
    }
}

/// Replaces a part of the state. Returns whether it changed.
fn replace<T: PartialEq>(part: &mut T, new: T) -> bool {
    let is_changed = *part != new;
    *part = new;
    is_changed
}

/// Returns the list, or `None` if it is empty.
fn non_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Appends the entries whose sequence number is higher than the number of the list's last entry.
/// Keeps the newest `most` entries. Returns whether the list changed.
fn append<T>(list: &mut VecDeque<T>, entries: Vec<T>, most: usize, seq: impl Fn(&T) -> u64) -> bool {
    let before = list.back().map(&seq);
    for entry in entries {
        if list.back().is_none_or(|last| seq(last) < seq(&entry)) {
            list.push_back(entry);
        }
    }
    list.drain(..list.len().saturating_sub(most));
    list.back().map(&seq) != before
}

#[cfg(test)]
mod tests {
    use khor_signal::Family;
    use serde_json::json;

    use super::*;

    fn lanes(names: &[&str]) -> StreamEvent {
        let lane = |name: &&str| LaneReport {
            name: (*name).to_owned(),
            label: "received".into(),
            family: Family::Network,
            unit: "B/s".into(),
            grain: 1.0,
            available: true,
            reason: None,
        };
        StreamEvent::Lanes(LaneList { lanes: names.iter().map(lane).collect() })
    }

    fn values(ts_ms: u64, rates: &[Option<f64>]) -> StreamEvent {
        let missing = vec![None; rates.len()];
        StreamEvent::Values(LaneValues {
            ts_ms,
            level: missing.clone(),
            deviation: missing.clone(),
            surprise: missing,
            rate: rates.to_vec(),
            baseline: rates.to_vec(),
            disk_read_bytes_s: None,
            disk_written_bytes_s: Some(0.0),
        })
    }

    fn cues(numbers: std::ops::Range<u64>) -> StreamEvent {
        let cue = |seq| {
            json!({ "seq": seq, "ts_ms": seq, "kind": "exec", "host": null, "pid": 7, "comm": "sh",
                    "detail": null })
        };
        let cues = numbers.map(|seq| serde_json::from_value(cue(seq)).unwrap()).collect();
        StreamEvent::Cues(CueList { cues })
    }

    fn state(events: impl IntoIterator<Item = StreamEvent>) -> StreamState {
        let mut state = StreamState::default();
        for event in events {
            state.apply(event);
        }
        state
    }

    fn greeting(started_ts_ms: u64) -> StreamEvent {
        StreamEvent::Greeting(Greeting { version: "0.1.0".into(), started_ts_ms })
    }

    #[test]
    fn a_replica_equals_its_original() {
        let original = state([
            greeting(1),
            lanes(&["rx", "tx"]),
            values(5, &[Some(1.5), None]),
            cues(1..9),
            cues(9..200),
        ]);
        assert_eq!(original.cues.len(), MAX_CUES);
        assert_eq!(state(original.replicate()), original);
        let through_json = original.replicate().into_iter().map(|event| {
            let text = serde_json::to_string(&event).unwrap();
            serde_json::from_str(&text).unwrap()
        });
        assert_eq!(state(through_json), original);
    }

    #[test]
    fn a_greeting_drops_the_previous_state() {
        let mut client = state([greeting(1), lanes(&["rx"]), cues(1..9)]);
        client.apply(greeting(2));
        assert_eq!(client, state([greeting(2)]));
    }

    #[test]
    fn values_of_other_lanes_are_ignored() {
        let mut client = state([lanes(&["rx", "tx"]), values(5, &[Some(1.0), None])]);
        assert!(!client.apply(values(6, &[Some(2.0)])), "one value for two lanes");
        assert!(client.apply(lanes(&["rx"])));
        assert_eq!(client.values, None);
        assert!(client.apply(values(7, &[Some(2.0)])));
    }

    #[test]
    fn repeated_events_change_nothing() {
        let mut client = state([lanes(&["rx"]), values(5, &[None]), cues(1..9)]);
        for event in [lanes(&["rx"]), values(5, &[None]), cues(3..9), cues(0..0)] {
            assert!(!client.apply(event.clone()), "{event:?}");
        }
        assert!(client.apply(cues(3..10)));
        assert_eq!(client.cues.len(), 9);
    }

    #[test]
    fn unknown_events_are_ignored() {
        let newer = json!({ "type": "of_a_newer_engine", "lanes": 7 });
        let event: StreamEvent = serde_json::from_value(newer).unwrap();
        assert!(!StreamState::default().apply(event));
    }
}
