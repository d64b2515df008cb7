//! Encodes and decodes the messages of all kinds.

use std::borrow::Cow;

use bincode::Options;
use khor_proto::inert;
use serde::{Serialize, de::DeserializeOwned};

/// Maximum length of a frame without added lanes, bytes.
pub const MAX_FRAME_BYTES: usize = 416;
/// Maximum length of a cue that is sent, bytes.
pub const MAX_CUE_BYTES: usize = 200;
/// Maximum length of a site frame that is sent, bytes.
pub const MAX_SITE_BYTES: usize = 36 * 1024;
/// Maximum length of a frame or cue that a reader accepts, bytes. It leaves room for fields that
/// newer minor versions append. A sent frame with added lanes has the same limit, so that older
/// versions can read it.
pub const MAX_READ_BYTES: usize = 1024;
/// Maximum length of a site frame that a reader accepts, bytes.
pub const MAX_READ_SITE_BYTES: usize = 64 * 1024;
/// Major version of the format that this crate writes.
const MAJOR: u8 = 1;
/// Length of the head of a message, bytes. The head contains the kind and the version.
const HEADER_BYTES: usize = 4;

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The message is longer than a reader allows.
    #[error("the message has {bytes} bytes, at most {most} are allowed")]
    Oversized {
        /// Length of the message, bytes.
        bytes: usize,
        /// Maximum length of a message of this kind, bytes.
        most: usize,
    },
    /// The message does not begin with the bytes of its kind.
    #[error("not a message of khor")]
    Foreign,
    /// The message has a major version that this crate does not know.
    #[error(
        "the message has format version {0}, expected {MAJOR}: use the same version of khor on all hosts"
    )]
    Version(u8),
    /// The message is incomplete, or has invalid values.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// The message is too long. Contains the maximum length of a message of its kind, bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is longer than the maximum of {0} bytes")]
pub struct WriteError(pub usize);

/// A kind of message.
pub trait Message: Serialize + DeserializeOwned {
    /// The last word of the subject under which messages of this kind are published.
    const WORD: &'static str;
    /// First bytes of every message of this kind.
    const MAGIC: [u8; 2];
    /// Maximum length of a message that is sent, bytes.
    const MAX_BYTES: usize;
    /// Maximum length of a message that a reader accepts, bytes.
    const MAX_READ: usize = MAX_READ_BYTES;
    /// The minor version that this crate writes. Each minor version has appended one field. An
    /// empty field (an empty list, `None` or 0) is encoded as the byte `00`. So
    /// [`read`](Self::read) appends one `00` for each minor version that an older message lacks.
    const MINOR: u8 = 0;

    /// Checks the values of the message. The error describes the first invalid value.
    fn check(&self) -> Result<(), String>;

    /// The texts from which [`read`](Self::read) removes unsafe characters ([`khor_proto::inert`]).
    /// Names are not included, because a [`Name`](crate::Name) cannot contain such characters.
    fn texts(&mut self) -> impl Iterator<Item = &mut String>;

    /// Encodes the message.
    fn write(&self) -> Result<Vec<u8>, WriteError> {
        let mut bytes = Vec::with_capacity(Self::MAX_BYTES.min(MAX_READ_BYTES));
        bytes.extend_from_slice(&Self::MAGIC);
        bytes.extend_from_slice(&[MAJOR, Self::MINOR]);
        let room = (Self::MAX_BYTES - HEADER_BYTES) as u64;
        let written = bincode::DefaultOptions::new().with_limit(room).serialize_into(&mut bytes, self);
        written.map_err(|_| WriteError(Self::MAX_BYTES))?;
        Ok(bytes)
    }

    /// Decodes a message of the same major version, with any minor version.
    fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() > Self::MAX_READ {
            return Err(ReadError::Oversized { bytes: bytes.len(), most: Self::MAX_READ });
        }
        let Some((&[k, kind, major, minor], body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(ReadError::Foreign);
        };
        if [k, kind] != Self::MAGIC {
            return Err(ReadError::Foreign);
        }
        if major != MAJOR {
            return Err(ReadError::Version(major));
        }
        let body = match Self::MINOR.saturating_sub(minor) {
            0 => Cow::Borrowed(body),
            lacking => Cow::Owned([body, &vec![0; lacking.into()]].concat()),
        };
        let bincode = bincode::DefaultOptions::new().with_limit(Self::MAX_READ as u64).allow_trailing_bytes();
        let malformed = |problem: String| ReadError::Malformed(inert::owned_line(problem));
        let mut message: Self = bincode.deserialize(&body).map_err(|error| malformed(explain(*error)))?;
        message.check().map_err(malformed)?;
        for text in message.texts() {
            *text = inert::owned_line(std::mem::take(text));
        }
        Ok(message)
    }
}

/// Describes what is wrong with a message that bincode cannot decode. bincode's own error texts
/// describe its encoding, which does not help a user. So the result contains such a text only if it
/// is about an invalid [`Name`](crate::Name).
fn explain(error: bincode::ErrorKind) -> String {
    match error {
        bincode::ErrorKind::Custom(problem) => problem,
        _ => "the message is incomplete or damaged".to_owned(),
    }
}
