//! Counts the messages that a relay has sent and received, and defines the errors that end it.

use std::{io, time::Duration};

use khor_source::Shortfall;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{membership::Refused, nats::NatsError};

/// An error that ends a relay.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The settings of the connection are wrong.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The process cannot wait for SIGINT and SIGTERM.
    #[error("cannot wait for SIGINT and SIGTERM: {0}")]
    Signals(#[from] io::Error),
    /// The source has ended. The relay ends too, because it would otherwise repeat the last reading
    /// forever.
    #[error("the source task panicked; the log above has the cause")]
    SourceEnded,
}

/// What a relay has sent so far, and the state of its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Number of frames that were sent.
    pub frames: u64,
    /// Number of frames that were dropped, because the server was unavailable or the frame was too
    /// long for it.
    pub dropped: u64,
    /// Number of cues that were sent.
    pub cues: u64,
    /// Number of added lanes that did not fit into the last frame.
    pub lanes_left_out: u64,
    /// Whether the server answers.
    pub connected: bool,
    /// Why frames are dropped, and the fix; `None` if they are not dropped.
    pub trouble: Option<Shortfall>,
    /// Messages that the relay has received. Only a relay that aggregates receives messages.
    pub received: Received,
}

/// Counts of a relay that aggregates: the messages that it has received, and the hosts that have
/// sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Number of frames of hosts that were accepted.
    pub frames: u64,
    /// Hosts that send.
    pub hosts: u32,
    /// Number of hosts that have stopped sending.
    pub silent: u32,
    /// Number of messages that were rejected, by reason.
    pub refused: [(&'static str, u64); Refused::REASONS],
    /// Number of cues that were dropped, because there were too many in a second or the server was
    /// unavailable.
    pub cues_dropped: u64,
    /// Length of the last frame that was sent, bytes.
    pub frame_bytes: u64,
    /// Number of relays that share the site, including this one.
    pub sharers: u32,
}

/// Creates a timer with one tick per interval. The timer skips the ticks that it has missed.
pub(super) fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
