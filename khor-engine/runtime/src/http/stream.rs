//! `GET /api/stream`: server-sent events.

use std::{convert::Infallible, pin::Pin};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use warp::{
    Reply,
    http::{HeaderValue, header},
    reply::Response,
};

use super::{
    call::Call,
    reply::live_headers,
    stop::until_stopped,
    table::{Answer, Content, Operation, get},
};

/// `GET /api/stream`.
pub(super) fn operation() -> Operation {
    get("/api/stream", "Server-sent events without a name: the metrics ten times a second, without history")
        .at_once(open)
}

struct EventStream(Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send + Sync>>);

fn open(call: Call) -> EventStream {
    let events = call.context.feeds.metrics(call.header("last-event-id"));
    EventStream(Box::pin(events.take_until(until_stopped(call.context.stop))))
}

impl Answer for EventStream {
    const CONTENT: Content = Content::of("text/event-stream");

    fn into_response(self) -> Response {
        let mut response = warp::reply::stream(self.0).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT.kind));
        live_headers(response.headers_mut());
        response
    }
}
