//! Tests the event stream of changes and the history API as a client uses them.

use khor_api::{HistoryColumns, MAX_NOTES, StreamEvent, StreamState};
use khor_e2e::{Engine, wait_until};

/// Number of bytes to read: the greeting event and more than a second of changes.
const ENOUGH: usize = 32 * 1024;

fn demo() -> Engine {
    let engine = Engine::start("/nonexistent/collector.sock".as_ref(), &["--fake", "--no-audio"], &[]);
    engine.wait_for_source("demo");
    engine
}

/// The complete events in the first [`ENOUGH`] bytes of the stream.
fn events(engine: &Engine) -> Vec<StreamEvent> {
    let bytes = engine.read("/api/stream?events=changes", ENOUGH);
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.rsplit_once("\n\n").expect("a complete event").0.split("\n\n");
    let data = whole.filter_map(|event| event.strip_prefix("event:change\ndata:"));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|problem| panic!("{problem}: {data}")))
        .collect()
}

fn count(events: &[StreamEvent], is_one: impl Fn(&StreamEvent) -> bool) -> usize {
    events.iter().filter(|event| is_one(event)).count()
}

#[test]
fn client_builds_state_from_events() {
    let engine = demo();
    let events = events(&engine);
    assert!(matches!(events[0], StreamEvent::Greeting(_)), "{:?}", events[0]);
    let mut state = StreamState::default();
    for event in &events {
        state.apply(event.clone());
    }
    let metrics = engine.metrics();
    assert_eq!(state.controls.as_ref(), Some(&metrics.controls));
    let names: Vec<&str> = state.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, metrics.signals.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(state.values.as_ref().map(|values| values.rate.len()), Some(names.len()));
    assert_eq!(state.health.map(|health| health.host), Some(engine.health().host));
    assert!(state.notes.len() <= MAX_NOTES && state.config.is_some());

    let values = count(&events, |event| matches!(event, StreamEvent::Values(_)));
    let steady = count(&events, |event| matches!(event, StreamEvent::Lanes(_) | StreamEvent::Controls(_)));
    assert!(
        values > 5 && steady == 2,
        "the stream sent {values} values (more than 5 expected) and {steady} unchanged events (2 expected)"
    );
}

#[test]
fn history_continues_where_a_client_stopped() {
    let engine = demo();
    let history = |query: &str| engine.get_as::<HistoryColumns>(&format!("/api/history{query}"));
    wait_until("more than 8 points of history", || history("").ts_ms.len() > 8);
    let whole = history("");
    assert!(whole.rates.iter().all(|(_, rates)| rates.len() == whole.ts_ms.len()), "{whole:?}");
    let known = whole.ts_ms[3];
    let later = history(&format!("?since_ts_ms={known}"));
    assert_eq!(later.ts_ms[..4], whole.ts_ms[4..8]);
    assert!(later.notes.iter().all(|note| note.ts_ms > known), "{later:?}");
}
