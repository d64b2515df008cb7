//! What a receiver must hold against any bytes at all. Property tests and fuzz targets share it.

use std::{
    fmt::Debug,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures_util::StreamExt;
use khor_proto::frame::{self, Incoming, Message};
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of a frame's length field.
const LENGTH_BYTES: usize = size_of::<u32>();
/// As many bytes at once as the receiver has room for.
pub(crate) const WHOLE: &[usize] = &[usize::MAX];

/// One item of a receiver; of an error, its kind.
pub(crate) type Heard<M> = Result<Incoming<M>, io::ErrorKind>;

/// A peer whose bytes come in pieces, each after a wait. Panics if its reader wants too much.
struct Peer<'a> {
    bytes: &'a [u8],
    /// Lengths of the pieces, at least 1 each, over and over.
    pieces: std::iter::Cycle<std::slice::Iter<'a, usize>>,
    waited: bool,
    /// Most room that a bounded reader offers, bytes.
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
        assert!(self.reads_past_end <= 2, "reads on past the end");
        let piece = self.pieces.next().copied().unwrap_or(1);
        let (piece, rest) = self.bytes.split_at(piece.min(room).min(self.bytes.len()));
        buffer.put_slice(piece);
        self.bytes = rest;
        Poll::Ready(Ok(()))
    }
}

/// Everything a receiver makes of `bytes` that come in `pieces`. Panics if it does not come to an end, or if its
/// buffer outgrows the largest frame.
pub(crate) fn hear<M: Message>(bytes: &[u8], pieces: &[usize]) -> Vec<Heard<M>> {
    // A buffer that is too small by a byte may double.
    let max_room = 2 * (M::MAX_BODY_BYTES + LENGTH_BYTES);
    let peer = Peer { bytes, pieces: pieces.iter().cycle(), waited: false, max_room, reads_past_end: 0 };
    let mut receiver = frame::receiver::<_, M>(peer);
    let mut context = Context::from_waker(Waker::noop());
    let mut heard = Vec::new();
    // One wait for each byte and for the end, one item for each length field, and the end of the stream.
    let polls = bytes.len() + 2 + bytes.len() / LENGTH_BYTES + 2;
    for _ in 0..polls {
        match receiver.poll_next_unpin(&mut context) {
            Poll::Ready(Some(item)) => heard.push(item.map_err(|error| error.kind())),
            Poll::Ready(None) => return heard,
            Poll::Pending => {}
        }
    }
    panic!("no end after {polls} polls for {} bytes", bytes.len());
}

/// Panics unless a receiver makes the same of `bytes` however they come, no more items than there are lengths, and
/// messages that survive the way back.
pub(crate) fn check<M: Message + Debug + PartialEq>(bytes: &[u8]) {
    let heard = hear::<M>(bytes, WHOLE);
    // As small as a byte, but not so small that a long input takes long.
    let piece = 1 + bytes.len() / 128 + bytes.last().copied().map_or(0, usize::from);
    assert_eq!(hear::<M>(bytes, &[piece]), heard, "in pieces of {piece}");
    assert!(heard.len() <= bytes.len() / LENGTH_BYTES + 1, "{} items", heard.len());
    heard.into_iter().flatten().for_each(check_one);
}

fn check_one<M: Message + Debug + PartialEq>(incoming: Incoming<M>) {
    match incoming {
        Incoming::Known(message) => {
            let again = frame::encode(&message).expect("what fitted fits again");
            assert_eq!(hear::<M>(&again, WHOLE), [Ok(Incoming::Known(message))]);
        }
        Incoming::Unknown { kind } => assert!(kind >= M::KINDS, "kind {kind} is known"),
    }
}
