//! Encodes messages into frames, and decodes them. A frame consists of a length, which is a
//! little-endian `u32`, and a body of this length. The body is one message in bincode.
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

/// Maximum length of the body of a client's message, in bytes.
pub const MAX_CLIENT_BODY_BYTES: usize = 4 * 1024;
/// Maximum length of the body of the collector's messages, in bytes.
pub const MAX_SERVER_BODY_BYTES: usize = 64 * 1024;
/// Initial size of a buffer, in bytes. It is enough for a sample, which has about 150 bytes. The
/// buffer grows for larger frames.
const INITIAL_BUFFER_BYTES: usize = 512;

/// The messages of one direction of the protocol.
pub trait Message: Serialize + DeserializeOwned + Unpin {
    /// Maximum length of a message's body, in bytes.
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
    /// A message of a kind that only newer minor versions know.
    Unknown {
        /// Number of the message kind, which this crate does not know.
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

/// Reads the number of the message's kind, which is at the start of every body.
fn kind_of(body: &[u8]) -> Option<u32> {
    bincode::DefaultOptions::new().allow_trailing_bytes().deserialize(body).ok()
}

/// A stream of the messages that arrive on `R`.
pub type Receiver<R, M> = tokio_serde::Framed<FramedRead<R, LengthDelimitedCodec>, Incoming<M>, M, Codec<M>>;
/// A sink that sends messages on `W`.
///
/// If a send times out, close the connection, because only a part of the frame may have been sent.
pub type Sender<W, M> = tokio_serde::Framed<FramedWrite<W, LengthDelimitedCodec>, Incoming<M>, M, Codec<M>>;

/// Creates a receiver of the messages on `io`. Cancelling a read loses no data.
pub fn receiver<R: AsyncRead, M: Message>(io: R) -> Receiver<R, M> {
    let frames = FramedRead::with_capacity(io, framing(M::MAX_BODY_BYTES), INITIAL_BUFFER_BYTES);
    tokio_serde::Framed::new(frames, Codec::default())
}

/// Creates a sender of messages on `io`. Sending a message above the size limit is an error and
/// writes nothing.
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

/// Appends `message` to `bytes` as a whole frame, for callers that must not wait. A caller can
/// reuse the buffer, to avoid allocating memory for each message. A message above the size limit is
/// an error and leaves `bytes` unchanged.
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

/// Encodes one message as a whole frame.
pub fn encode<M: Message>(message: &M) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    encode_into(message, &mut frame)?;
    Ok(frame)
}
