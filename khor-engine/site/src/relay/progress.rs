//! The progress of a relay while it runs, and the errors that end it.

use std::{io, time::Duration};

use khor_source::Shortfall;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{membership::Refused, nats::NatsError};

/// Why a relay ends.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The settings of the connection are wrong.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The process cannot wait for signals.
    #[error("waiting for signals: {0}")]
    Signals(#[from] io::Error),
    /// The source has ended. The relay must not repeat its last reading for ever.
    #[error("the source task panicked; the log above has the cause")]
    SourceEnded,
}

/// What a relay has done so far, and the state of its connection.
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
    /// Why frames are dropped, and the fix.
    pub trouble: Option<Shortfall>,
    /// Messages received by a relay that aggregates.
    pub received: Received,
}

/// The messages that an aggregating relay has received, and their senders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Hosts' frames that were accepted.
    pub frames: u64,
    /// Hosts that send.
    pub hosts: u32,
    /// Hosts that have stopped.
    pub silent: u32,
    /// Messages that were rejected, by reason.
    pub refused: [(&'static str, u64); Refused::REASONS],
    /// Cues that were dropped: too many at once.
    pub cues_dropped: u64,
    /// Length of the last frame that was sent.
    pub frame_bytes: u64,
    /// Relays that share the site, this one included.
    pub sharers: u32,
}

/// A tick every so often. Late ticks are skipped.
pub(super) fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
