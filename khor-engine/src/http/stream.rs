//! The event stream: the metrics, ten times a second, with the notes and cues since the event before.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_stream::wrappers::IntervalStream;
use warp::{Filter, Reply, filters::BoxedFilter, reply::Response, sse::Event};

use super::until_stopped;
use crate::engine::{Engine, Since};

/// Time between two events.
const INTERVAL: Duration = Duration::from_millis(100);
/// Time between two comments that keep proxies awake.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// `GET /api/stream`.
pub(super) fn route(engine: Arc<Engine>, stop: watch::Receiver<bool>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "stream")
        .and(warp::get())
        .map(move || {
            let events = events(Arc::clone(&engine), stop.clone());
            warp::sse::reply(warp::sse::keep_alive().interval(KEEP_ALIVE).stream(events)).into_response()
        })
        .boxed()
}

fn events(
    engine: Arc<Engine>,
    stop: watch::Receiver<bool>,
) -> impl futures_util::Stream<Item = Result<Event, Infallible>> + Send + 'static {
    let mut since: Option<Since> = None;
    IntervalStream::new(ticks())
        .map(move |_| {
            let report = engine.metrics(since, false);
            since = Some(report.until(since));
            let event = Event::default().event("metrics");
            Ok(event.json_data(&report).unwrap_or_else(|_| Event::default().comment("unprintable")))
        })
        .take_until(until_stopped(stop))
}

fn ticks() -> Interval {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
