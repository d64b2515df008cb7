//! Tests the stream's state with random sequences of events. A client that connects later must get
//! the same state as a client that was connected from the beginning.

use khor_api::{
    BarReport, ConfigVersion, CueList, CueReport, Greeting, LaneList, LaneReport, LaneValues, MAX_CUES,
    MAX_NOTES, NoteList, NoteReport, SentenceReport, SoloReport, SoloistList, StreamEvent, StreamState,
};
use khor_music::{Layer, Role};
use khor_signal::Family;
use proptest::{collection::vec, option, prelude::*, sample::subsequence};

fn lane(name: &&str) -> LaneReport {
    LaneReport {
        name: (*name).to_owned(),
        label: "received".into(),
        family: Family::Network,
        unit: "B/s".into(),
        grain: 1.0,
        available: true,
        reason: None,
    }
}

fn values(ts_ms: u64, rate: Vec<Option<f64>>) -> LaneValues {
    let missing = vec![None; rate.len()];
    LaneValues {
        ts_ms,
        level: missing.clone(),
        deviation: missing.clone(),
        surprise: missing,
        baseline: rate.clone(),
        rate,
        disk_read_bytes_s: None,
        disk_written_bytes_s: Some(0.0),
    }
}

fn cue(seq: u64) -> CueReport {
    CueReport { seq, ts_ms: seq, kind: "exec".into(), host: None, pid: Some(7), comm: None, detail: None }
}

fn note(seq: u64) -> NoteReport {
    NoteReport {
        seq,
        ts_ms: seq,
        midi: 60,
        velocity: 0.5,
        duration_s: 1.0,
        role: Role::Melody,
        layer: Layer::Voices,
        channel: 1,
        signal: Some("rx".into()),
    }
}

fn soloist(host: String) -> SoloReport {
    SoloReport { host, section: None, signal: "rx".into(), deviation: 2.0 }
}

fn events() -> impl Strategy<Value = StreamEvent> {
    let rates = vec(option::of(0.0..9.0), 0..4);
    let text = || "[ab]{0,1}";
    prop_oneof![
        1 => (0u64..3).prop_map(|started_ts_ms| {
            StreamEvent::Greeting(Greeting { version: "0.1.0".into(), started_ts_ms })
        }),
        2 => subsequence(&["rx", "tx", "queue"][..], 0..=3).prop_map(|names| {
            StreamEvent::Lanes(LaneList { lanes: names.iter().map(lane).collect() })
        }),
        4 => (0u64..3, rates).prop_map(|(ts_ms, rates)| StreamEvent::Values(values(ts_ms, rates))),
        1 => (0u64..3).prop_map(|bar| StreamEvent::Bar(BarReport { bar, bar_ts_ms: 1, step_ms: 2.0 })),
        1 => vec(text(), 0..3).prop_map(|hosts| {
            StreamEvent::Soloists(SoloistList { soloists: hosts.into_iter().map(soloist).collect() })
        }),
        1 => text().prop_map(|sentence| StreamEvent::Sentence(SentenceReport { sentence })),
        1 => text().prop_map(|tag| StreamEvent::Config(ConfigVersion { tag })),
        3 => (0u64..200, 0u64..100).prop_map(|(from, count)| {
            StreamEvent::Cues(CueList { cues: (from..from + count).map(cue).collect() })
        }),
        3 => (0u64..900, 0u64..700).prop_map(|(from, count)| {
            StreamEvent::Notes(NoteList { notes: (from..from + count).map(note).collect() })
        }),
        1 => Just(StreamEvent::Unknown),
    ]
}

fn applied(events: impl IntoIterator<Item = StreamEvent>) -> StreamState {
    let mut state = StreamState::default();
    for event in events {
        state.apply(event);
    }
    state
}

fn check(state: &StreamState) {
    assert!(state.cues.len() <= MAX_CUES && state.notes.len() <= MAX_NOTES);
    assert!(state.cues.iter().is_sorted_by(|a, b| a.seq < b.seq));
    assert!(state.notes.iter().is_sorted_by(|a, b| a.seq < b.seq));
    let fits = |values: &LaneValues| values.rate.len() == state.lanes.len();
    assert!(state.values.as_ref().is_none_or(fits));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn late_client_catches_up(events in vec(events(), 0..40), join in any::<prop::sample::Index>()) {
        let join = join.index(events.len() + 1);
        let mut early = applied(events[..join].iter().cloned());
        let mut late = applied(early.replicate());
        prop_assert_eq!(&late, &early);
        for event in &events[join..] {
            let before = early.clone();
            let is_changed = early.apply(event.clone());
            late.apply(event.clone());
            prop_assert_eq!(&late, &early);
            prop_assert!(is_changed || before == early, "a change was not reported: {event:?}");
            check(&early);
        }
    }

    /// The engine does not send events that leave its state unchanged. Skipping such events must
    /// not change the state of a client.
    #[test]
    fn skipped_events_change_nothing(events in vec(events(), 0..40)) {
        let mut engine = StreamState::default();
        let sent: Vec<_> = events.into_iter().filter(|event| engine.apply(event.clone())).collect();
        prop_assert_eq!(applied(sent), engine);
    }
}
