//! The event stream: the metrics ten times a second, with the notes and cues since the previous
//! event. The id of an event is its position, so that a client that reconnects receives the notes
//! and cues that it missed.
//!
//! The metrics are unnamed events, which is what the original's clients read. An event about
//! anything else needs a name, so that these clients do not take it for metrics.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_stream::wrappers::IntervalStream;
use warp::{Reply, reply::Response, sse::Event};

use super::{
    call::{ApiContext, Call},
    inert_json,
    reply::live_headers,
    stop::until_stopped,
    table::{Answer, Content, Operation, get},
};
use crate::engine::ReadPosition;

/// Time between two events.
const INTERVAL: Duration = Duration::from_millis(100);
/// Time between two comments that keep proxies awake.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// `GET /api/stream`.
pub(super) fn operation() -> Operation {
    get("/api/stream", "Server-sent events without a name: the metrics ten times a second, without history")
        .at_once(open)
}

struct EventStream {
    context: ApiContext,
    position: Option<ReadPosition>,
}

fn open(call: Call) -> EventStream {
    let run = run_id(&call.context);
    let position = call.header("last-event-id").and_then(|id| position_of(id, &run));
    EventStream { context: call.context, position }
}

impl Answer for EventStream {
    const CONTENT: Content = Content::of("text/event-stream");

    fn into_response(self) -> Response {
        let events = events(self.context, self.position);
        let events = warp::sse::keep_alive().interval(KEEP_ALIVE).stream(events);
        let mut response = warp::sse::reply(events).into_response();
        live_headers(response.headers_mut());
        response
    }
}

/// One more stream that is open, as long as this lives.
struct OpenStream(Arc<AtomicUsize>);

impl OpenStream {
    fn new(streams: &Arc<AtomicUsize>) -> Self {
        // A count that is only shown: no order with anything else is needed.
        streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(streams))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn events(
    context: ApiContext,
    mut position: Option<ReadPosition>,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    let (open, run, stop) = (OpenStream::new(&context.streams), run_id(&context), context.stop.clone());
    IntervalStream::new(ticks())
        .map(move |_| {
            let _counted = &open;
            let report = context.engine.metrics(position, false);
            let until = position.unwrap_or_default().after(&report);
            position = Some(until);
            // Events have no name, because the original's clients listen to `message` only.
            let event = Event::default().id(format!("{run}.{until}"));
            let text = inert_json::text(&report);
            Ok(text.map_or_else(|_| Event::default().comment("unprintable"), |text| event.data(text)))
        })
        .take_until(until_stopped(stop))
}

/// Identifies this run of the engine. Another run numbers its notes from the start.
fn run_id(context: &ApiContext) -> String {
    format!("{:x}", context.engine.started_ts_ms())
}

/// The read position after an event of this run.
fn position_of(id: &str, run: &str) -> Option<ReadPosition> {
    id.strip_prefix(run)?.strip_prefix('.')?.parse().ok()
}

fn ticks() -> Interval {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_belong_to_one_run() {
        let position: ReadPosition = "17.3".parse().unwrap();
        assert_eq!(position_of(&format!("19f.{position}"), "19f"), Some(position));
        for id in ["", "19f", "19f.", "19f.17", "19f.17.x", "18f.17.3", "19f17.3", "19f.17.3.1"] {
            assert_eq!(position_of(id, "19f"), None, "{id}");
        }
    }
}
