//! Encodes messages into frames, and decodes them: a little-endian `u32` length, then that many
//! bytes of one bincode message.
//!
//! Each direction has its own size limit, which is checked before memory is allocated. If a body
//! cannot be decoded, the receiver reports an error and continues with the next frame. A length
//! above the limit ends the stream, because the start of the next frame is unknown.

use std::{io, marker::PhantomData, pin::Pin};

use bincode::Options;
use bytes::{Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_serde::formats::Bincode;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use crate::message::{ClientMessage, ServerMessage};

/// Longest body that a client may send, bytes.
pub const MAX_CLIENT_BODY_BYTES: usize = 4 * 1024;
/// Longest body that the collector may send, bytes.
pub const MAX_SERVER_BODY_BYTES: usize = 64 * 1024;
/// First size of a buffer, which grows to the largest frame; a sample has about 150 bytes.
const INITIAL_BUFFER_BYTES: usize = 512;

/// The messages of one direction of the protocol.
pub trait Message: Serialize + DeserializeOwned + Unpin {
    /// Longest body, bytes.
    const MAX_BODY_BYTES: usize;
    /// Number of kinds (enum variants) that this crate knows.
    const KINDS: u32;
}

impl Message for ClientMessage {
    const MAX_BODY_BYTES: usize = MAX_CLIENT_BODY_BYTES;
    const KINDS: u32 = 2;
}

impl Message for ServerMessage {
    const MAX_BODY_BYTES: usize = MAX_SERVER_BODY_BYTES;
    const KINDS: u32 = 7;
}

/// The content of a received frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<M> {
    /// A message that this crate knows.
    Known(M),
    /// A kind of message that a newer minor version appended.
    Unknown {
        /// Number of the unknown kind.
        kind: u32,
    },
}

/// The bincode encoding on the wire. It distinguishes an unknown kind from an invalid body.
#[derive(Debug)]
pub struct Codec<M> {
    messages: PhantomData<fn() -> M>,
}

impl<M> Default for Codec<M> {
    fn default() -> Self {
        Self { messages: PhantomData }
    }
}

impl<M: Message> tokio_serde::Deserializer<Incoming<M>> for Codec<M> {
    type Error = io::Error;

    fn deserialize(self: Pin<&mut Self>, body: &BytesMut) -> io::Result<Incoming<M>> {
        let mut bincode = Bincode::<M, M>::default();
        match tokio_serde::Deserializer::deserialize(Pin::new(&mut bincode), body) {
            Ok(message) => Ok(Incoming::Known(message)),
            Err(error) => match kind_of(body) {
                Some(kind) if kind >= M::KINDS => Ok(Incoming::Unknown { kind }),
                _ => Err(error),
            },
        }
    }
}

impl<M: Message> tokio_serde::Serializer<M> for Codec<M> {
    type Error = io::Error;

    fn serialize(self: Pin<&mut Self>, message: &M) -> io::Result<Bytes> {
        let mut bincode = Bincode::<M, M>::default();
        tokio_serde::Serializer::serialize(Pin::new(&mut bincode), message)
    }
}

/// The number of a message's kind, with which every body starts.
fn kind_of(body: &[u8]) -> Option<u32> {
    bincode::DefaultOptions::new().allow_trailing_bytes().deserialize(body).ok()
}

/// Stream of the messages that arrive on `R`.
pub type Receiver<R, M> = tokio_serde::Framed<FramedRead<R, LengthDelimitedCodec>, Incoming<M>, M, Codec<M>>;
/// Sink that sends messages on `W`.
///
/// After a send that timed out, part of a frame may be on the wire. Then close the connection.
pub type Sender<W, M> = tokio_serde::Framed<FramedWrite<W, LengthDelimitedCodec>, Incoming<M>, M, Codec<M>>;

/// Receives messages from `io`. A pending read can be cancelled without losing data.
pub fn receiver<R: AsyncRead, M: Message>(io: R) -> Receiver<R, M> {
    let frames = FramedRead::with_capacity(io, framing(M::MAX_BODY_BYTES), INITIAL_BUFFER_BYTES);
    tokio_serde::Framed::new(frames, Codec::default())
}

/// Sends messages on `io`. A message above the limit is an error, and no byte of it is written.
pub fn sender<W: AsyncWrite, M: Message>(io: W) -> Sender<W, M> {
    let frames = FramedWrite::with_capacity(io, framing(M::MAX_BODY_BYTES), INITIAL_BUFFER_BYTES);
    tokio_serde::Framed::new(frames, Codec::default())
}

fn framing(max_body_bytes: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .length_field_type::<u32>()
        .little_endian()
        .max_frame_length(max_body_bytes)
        .new_codec()
}

/// Appends `message` to `bytes` as a whole frame, for a sender that must not wait. The sender can
/// reuse the buffer, so that it allocates no memory for each message. A message above the limit is
/// an error, and `bytes` stay as they are.
pub fn encode_into<M: Message>(message: &M, bytes: &mut Vec<u8>) -> io::Result<()> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; size_of::<u32>()]);
    let body = start + size_of::<u32>();
    let limit = M::MAX_BODY_BYTES as u64;
    let encoded = bincode::DefaultOptions::new().with_limit(limit).serialize_into(&mut *bytes, message);
    if let Err(error) = encoded {
        bytes.truncate(start);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    let length = (bytes.len() - body) as u32;
    bytes[start..body].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// One message as a whole frame.
pub fn encode<M: Message>(message: &M) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    encode_into(message, &mut frame)?;
    Ok(frame)
}
