//! Encodes and decodes the messages of all kinds.

use std::borrow::Cow;

use bincode::Options;
use khor_proto::inert;
use serde::{Serialize, de::DeserializeOwned};

/// Longest frame without added lanes, bytes.
pub const MAX_FRAME_BYTES: usize = 416;
/// Longest cue that is sent, bytes.
pub const MAX_CUE_BYTES: usize = 200;
/// Longest frame of a site that is sent, bytes.
pub const MAX_SITE_BYTES: usize = 36 * 1024;
/// Longest frame or cue that is read, bytes. Newer minor versions may append to messages. It also
/// limits frames with added lanes, because older versions must be able to read them.
pub const MAX_READ_BYTES: usize = 1024;
/// Longest frame of a site that is read, bytes.
pub const MAX_READ_SITE_BYTES: usize = 64 * 1024;
/// Major version of the format that this crate writes.
const MAJOR: u8 = 1;
/// Length of the kind and the version at the beginning of a message.
const HEADER_BYTES: usize = 4;

/// Why bytes were not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Longer than anything khor sends.
    #[error("{bytes} bytes, expected at most {most}")]
    Oversized {
        /// Its length.
        bytes: usize,
        /// Longest message of its kind that is read.
        most: usize,
    },
    /// It does not begin like a message of khor.
    #[error("not a message of khor's")]
    Foreign,
    /// It has a major version that this crate does not know.
    #[error("of version {0}, expected {MAJOR}: bring khor to the same version everywhere")]
    Version(u8),
    /// It is incomplete, or has invalid values.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// A message that would be longer than is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message does not fit into {0} bytes")]
pub struct WriteError(pub usize);

/// A kind of message.
pub trait Message: Serialize + DeserializeOwned {
    /// Last word of its subject.
    const WORD: &'static str;
    /// First bytes of every message of the kind.
    const MAGIC: [u8; 2];
    /// Longest one that is sent, bytes.
    const MAX_BYTES: usize;
    /// Longest one that is read, bytes.
    const MAX_READ: usize = MAX_READ_BYTES;
    /// The minor version that is written. Each minor version has appended one field, which is one
    /// byte, `00`, if it is empty: an empty list, `None` or 0. An older message therefore lacks one
    /// byte for each minor version.
    const MINOR: u8 = 0;

    /// Checks its values. The error names the problem.
    fn check(&self) -> Result<(), String>;

    /// Its texts that [`read`](Self::read) makes inert ([`khor_proto::inert`]). Names are not among
    /// them, because they have no active characters.
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

    /// Decodes a message of this or any other minor version.
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
        let mut message: Self = bincode.deserialize(&body).map_err(|error| malformed(error.to_string()))?;
        message.check().map_err(malformed)?;
        for text in message.texts() {
            *text = inert::owned_line(std::mem::take(text));
        }
        Ok(message)
    }
}
