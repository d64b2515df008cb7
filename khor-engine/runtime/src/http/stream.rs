//! The operation `GET /api/stream`: server-sent events.

use std::{convert::Infallible, pin::Pin};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use khor_api::{MetricsReport, StreamEvent};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use warp::{
    Reply,
    http::{HeaderValue, header},
    reply::Response,
};

use super::{
    call::Call,
    reply::{Failure, live_headers},
    stop::until_stopped,
    table::{Answer, Content, Operation, get},
};

type Events = Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send + Sync>>;

struct EventStream(Events);

/// The data of one event.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used; the feeds write the events")]
enum EventData {
    /// The data of an event without a name.
    Metrics(MetricsReport),
    /// The data of an event named `change`.
    Change(StreamEvent),
}

/// The operation `GET /api/stream`.
pub(super) fn operation() -> Operation {
    get("/api/stream", "Server-sent events: the metrics ten times per second, or the state and its changes")
        .takes(
            "events",
            "`metrics` (default): events without a name, each with all metrics except the history. \
             `changes`: events named `change`, first with the whole state, then only with changes",
            json!({ "type": "string", "enum": ["metrics", "changes"] }),
        )
        .at_once(open)
}

fn open(call: Call) -> Result<EventStream, Failure> {
    let feeds = &call.context.feeds;
    let events: Events = match call.text("events") {
        None | Some("metrics") => Box::pin(feeds.metrics(call.header("last-event-id"))),
        Some("changes") => Box::pin(feeds.changes()),
        Some(other) => {
            return Err(Failure::not_allowed("events", &other, "metrics or changes"));
        }
    };
    Ok(EventStream(Box::pin(events.take_until(until_stopped(call.context.stop)))))
}

impl Answer for EventStream {
    const CONTENT: Content = Content {
        schema: Some(SchemaGenerator::subschema_for::<EventData>),
        ..Content::of("text/event-stream")
    };

    fn into_response(self) -> Response {
        let mut response = warp::reply::stream(self.0).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT.kind));
        live_headers(response.headers_mut());
        response
    }
}
