//! Sends frames to one client, and queues the bytes for which the client's socket has no room.
//!
//! A sample is queued only if the queue is empty. So a slow client misses samples, and at most one
//! sample waits for it. Messages that must not be skipped are queued up to a limit.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::wire::Socket;

/// Longest time for which a client's socket may stay full. After this time the client counts as
/// stuck.
const PATIENCE: Duration = Duration::from_secs(2);
/// While at least this many bytes are queued, the queue accepts no more frames.
pub(super) const MAX_WAITING_BYTES: usize = 16 * 1024;

/// A client's queue and socket.
#[derive(Debug)]
pub(super) struct Outbox {
    socket: Arc<Socket>,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Number of bytes of the first queued frame that were already sent.
    sent_bytes: usize,
    /// Time at which the socket became full or, if later, last accepted some queued bytes. `None`
    /// if the queue is empty.
    full_since: Option<Instant>,
}

/// The state of a client's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// All bytes were sent.
    Clear,
    /// Some bytes are queued.
    Waiting,
    /// The client is stuck: the socket was full for too long, or the queue is full.
    Stuck,
    /// The socket failed.
    Gone,
}

impl Outbox {
    /// An empty queue.
    pub(super) fn new(socket: Arc<Socket>) -> Self {
        Self { socket, waiting: VecDeque::new(), waiting_bytes: 0, sent_bytes: 0, full_since: None }
    }

    /// Sends a frame. Queues the bytes that the socket has no room for.
    pub(super) fn send(&mut self, frame: &[u8], now: Instant) -> Standing {
        match self.flush(now) {
            Standing::Clear => {}
            Standing::Waiting if self.has_room() => {
                self.push(frame);
                return Standing::Waiting;
            }
            Standing::Waiting => return Standing::Stuck,
            ended => return ended,
        }
        match self.socket.send(frame) {
            Ok(sent) if sent == frame.len() => Standing::Clear,
            Ok(sent) => {
                self.push(frame);
                self.sent_bytes = sent;
                self.full_since = Some(now);
                Standing::Waiting
            }
            Err(_) => Standing::Gone,
        }
    }

    /// Sends queued bytes until the socket is full.
    pub(super) fn flush(&mut self, now: Instant) -> Standing {
        while let Some(frame) = self.waiting.front() {
            match self.socket.send(&frame[self.sent_bytes..]) {
                Ok(0) => return self.judge(now),
                Ok(sent) => {
                    self.full_since = Some(now);
                    self.sent_bytes += sent;
                    if self.sent_bytes == frame.len() {
                        self.waiting_bytes -= frame.len();
                        self.waiting.pop_front();
                        self.sent_bytes = 0;
                    }
                }
                Err(_) => return Standing::Gone,
            }
        }
        self.full_since = None;
        Standing::Clear
    }

    /// Whether another frame may be queued.
    pub(super) fn has_room(&self) -> bool {
        self.waiting_bytes < MAX_WAITING_BYTES
    }

    fn push(&mut self, frame: &[u8]) {
        self.waiting_bytes += frame.len();
        self.waiting.push_back(frame.to_vec());
    }

    /// Whether the queue is empty.
    pub(super) fn is_clear(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All queued frames, joined into one sequence of bytes.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> Vec<u8> {
        self.waiting.iter().flatten().copied().collect()
    }

    /// Closes the connection.
    pub(super) fn shut_down(&self) {
        self.socket.shut_down();
    }

    fn judge(&self, now: Instant) -> Standing {
        let full = |since| now.saturating_duration_since(since) >= PATIENCE;
        if self.full_since.is_some_and(full) { Standing::Stuck } else { Standing::Waiting }
    }
}
