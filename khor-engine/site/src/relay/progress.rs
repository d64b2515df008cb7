//! What a relay has sent and received so far, and the errors that end it.

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
    /// The source has ended. The relay ends too, because it would repeat the last reading for ever.
    #[error("the source task panicked; the log above has the cause")]
    SourceEnded,
}

/// What a relay has sent so far, and the state of its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Frames that were sent.
    pub frames: u64,
    /// Frames that were dropped: the server was unavailable, or the frame was too long for it.
    pub dropped: u64,
    /// Cues that were sent.
    pub cues: u64,
    /// Added lanes that did not fit into the last frame.
    pub lanes_left_out: u64,
    /// Whether the server answers.
    pub connected: bool,
    /// Why frames are dropped, and the fix; `None` if they are not dropped.
    pub trouble: Option<Shortfall>,
    /// Messages received by a relay that aggregates.
    pub received: Received,
}

/// What a relay that aggregates has received so far, and from how many hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Frames of hosts that were accepted.
    pub frames: u64,
    /// Hosts that send.
    pub hosts: u32,
    /// Hosts that have stopped sending.
    pub silent: u32,
    /// Messages that were rejected, by reason.
    pub refused: [(&'static str, u64); Refused::REASONS],
    /// Cues that were dropped: too many a second, or the server was unavailable.
    pub cues_dropped: u64,
    /// Length of the last frame that was sent, bytes.
    pub frame_bytes: u64,
    /// Relays that share the site, including this one.
    pub sharers: u32,
}

/// A timer with one tick per interval. Late ticks are skipped.
pub(super) fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
