//! Checks that a receiver handles arbitrary bytes. The property tests and the fuzz targets share
//! this code.

use std::{
    fmt::Debug,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures_util::StreamExt;
use khor_proto::frame::{self, Incoming, Message};
use tokio::io::{AsyncRead, ReadBuf};

/// Size of a frame's length field, in bytes.
const LENGTH_BYTES: usize = size_of::<u32>();
/// Lengths of the pieces for a peer that does not split its bytes: each read returns as many bytes
/// as the receiver's buffer has room for.
pub(crate) const WHOLE: &[usize] = &[usize::MAX];

/// One item from a receiver. An error is reduced to its kind, so that items can be compared.
pub(crate) type Received<M> = Result<Incoming<M>, io::ErrorKind>;

/// A peer that sends its bytes in pieces, and waits before each piece. It panics if the reader's
/// buffer is too large, or if the reader keeps reading after the end.
struct Peer<'a> {
    bytes: &'a [u8],
    /// Lengths of the pieces, each at least 1. The list repeats.
    pieces: std::iter::Cycle<std::slice::Iter<'a, usize>>,
    waited: bool,
    /// Maximum size of the reader's buffer, in bytes.
    max_room: usize,
    reads_past_end: u32,
}

impl AsyncRead for Peer<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.waited = !self.waited;
        if self.waited {
            return Poll::Pending;
        }
        let room = buffer.remaining();
        assert!((1..=self.max_room).contains(&room), "the buffer has room for {room} bytes");
        self.reads_past_end += u32::from(self.bytes.is_empty());
        assert!(self.reads_past_end <= 2, "the reader reads on after the end");
        let piece = self.pieces.next().copied().unwrap_or(1);
        let (piece, rest) = self.bytes.split_at(piece.min(room).min(self.bytes.len()));
        buffer.put_slice(piece);
        self.bytes = rest;
        Poll::Ready(Ok(()))
    }
}

/// Returns all items that a receiver returns for `bytes`, which arrive in pieces of the lengths
/// `pieces`. Panics if the receiver does not end, or if its buffer grows far beyond the largest
/// frame.
pub(crate) fn receive_all<M: Message>(bytes: &[u8], pieces: &[usize]) -> Vec<Received<M>> {
    // The buffer doubles when it is too small, even if only one byte is missing.
    let max_room = 2 * (M::MAX_BODY_BYTES + LENGTH_BYTES);
    let peer = Peer { bytes, pieces: pieces.iter().cycle(), waited: false, max_room, reads_past_end: 0 };
    let mut receiver = frame::receiver::<_, M>(peer);
    let mut context = Context::from_waker(Waker::noop());
    let mut received = Vec::new();
    // The receiver waits at most once for each byte and once for the end. It returns at most one
    // item for each length field and one for the end.
    let polls = bytes.len() + 2 + bytes.len() / LENGTH_BYTES + 2;
    for _ in 0..polls {
        match receiver.poll_next_unpin(&mut context) {
            Poll::Ready(Some(item)) => received.push(item.map_err(|error| error.kind())),
            Poll::Ready(None) => return received,
            Poll::Pending => {}
        }
    }
    panic!("no end after {polls} polls for {} bytes", bytes.len());
}

/// Checks the items that a receiver returns for `bytes`. They must not depend on the lengths of the
/// pieces. There must be at most one item for each length field. A received message must not change
/// when it is sent and received again.
pub(crate) fn check<M: Message + Debug + PartialEq>(bytes: &[u8]) {
    let received = receive_all::<M>(bytes, WHOLE);
    // Use small pieces, but longer ones for a long input, to limit the time of the test.
    let piece = 1 + bytes.len() / 128 + bytes.last().copied().map_or(0, usize::from);
    assert_eq!(receive_all::<M>(bytes, &[piece]), received, "in pieces of {piece}");
    assert!(received.len() <= bytes.len() / LENGTH_BYTES + 1, "{} items are too many", received.len());
    received.into_iter().flatten().for_each(check_one);
}

fn check_one<M: Message + Debug + PartialEq>(incoming: Incoming<M>) {
    match incoming {
        Incoming::Known(message) => {
            let again = frame::encode(&message).expect("a received message fits into a frame");
            assert_eq!(receive_all::<M>(&again, WHOLE), [Ok(Incoming::Known(message))]);
        }
        Incoming::Unknown { kind } => assert!(kind >= M::KINDS, "kind {kind} is known"),
    }
}
