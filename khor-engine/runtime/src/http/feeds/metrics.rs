//! The default event stream. It sends the metrics ten times per second, with the notes and cues
//! since the previous event. The id of an event is the position of its last note and cue. A client
//! that reconnects sends this id, and receives the notes and cues that it missed.
//!
//! The events of this stream have no name, because clients of the first version of khor expect
//! this.

use std::sync::Arc;

use bytes::Bytes;
use khor_api::MetricsReport;
use tracing::error;

use super::feed::Publisher;
use crate::{
    engine::{Engine, ReadPosition, WrittenPoint},
    http::inert_json,
};

/// The bytes of an event, and the read position after the event.
type Message = (Bytes, ReadPosition);

pub(super) struct MetricsPublisher {
    engine: Arc<Engine>,
    /// The newest note and the newest cue of the last round.
    position: ReadPosition,
}

impl MetricsPublisher {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, position: ReadPosition::default() }
    }

    fn event(&self, report: &MetricsReport<WrittenPoint>, until: ReadPosition) -> Option<Message> {
        let id = format!("{}.{until}", run_id(&self.engine));
        match inert_json::text(report) {
            Ok(text) => Some((format!("data:{text}\nid:{id}\n\n").into(), until)),
            Err(problem) => {
                error!("cannot write the metrics as JSON: {problem}");
                None
            }
        }
    }
}

impl Publisher for MetricsPublisher {
    type Message = Message;
    /// The last position that the client has received. `None` for a new client.
    type Client = Option<ReadPosition>;

    fn round(&mut self) -> Vec<Message> {
        let report = self.engine.metrics(Some(self.position), false);
        self.position = self.position.after(&report);
        self.event(&report, self.position).into_iter().collect()
    }

    /// Returns the notes and cues that the client missed, up to the last round. The next round
    /// sends later notes and cues.
    fn greet(&self, client: &Self::Client) -> Vec<Message> {
        let mut report = self.engine.metrics(*client, false);
        self.position.limit(&mut report);
        self.event(&report, self.position).into_iter().collect()
    }

    fn deliver(client: &mut Self::Client, (bytes, until): Message) -> Bytes {
        *client = Some(until);
        bytes
    }
}

/// Returns the first part of event ids, which identifies this run of the engine. It is necessary
/// because each run numbers its notes from 1.
fn run_id(engine: &Engine) -> String {
    format!("{:x}", engine.started_ts_ms())
}

/// Parses the id of an event. Returns the read position after the event, or `None` if the event
/// belongs to another run.
pub(super) fn read_position(engine: &Engine, id: &str) -> Option<ReadPosition> {
    position_of(id, &run_id(engine))
}

fn position_of(id: &str, run: &str) -> Option<ReadPosition> {
    id.strip_prefix(run)?.strip_prefix('.')?.parse().ok()
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
