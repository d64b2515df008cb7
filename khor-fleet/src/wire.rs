//! From messages to bytes and back, for all kinds alike.

use bincode::Options;
use serde::{Serialize, de::DeserializeOwned};

/// Longest frame that is sent, bytes.
pub const MAX_FRAME_BYTES: usize = 400;
/// Longest cue that is sent, bytes.
pub const MAX_CUE_BYTES: usize = 200;
/// Longest message that is read, bytes: newer minor versions may append to theirs.
pub const MAX_READ_BYTES: usize = 1024;
/// Of the form that this crate writes.
const MAJOR: u8 = 1;
const MINOR: u8 = 0;
/// What it is, and its version.
const HEADER_BYTES: usize = 4;

/// Why bytes were not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Longer than anything khor sends.
    #[error("{0} bytes, expected at most {MAX_READ_BYTES}")]
    Oversized(usize),
    /// It does not begin as khor's do.
    #[error("not a message of khor's")]
    Foreign,
    /// Of a major version this crate does not know.
    #[error("of version {0}, expected {MAJOR}: bring khor to the same version everywhere")]
    Version(u8),
    /// Broken, or with values that mean nothing.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// A message that would be longer than is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message does not fit into {0} bytes")]
pub struct WriteError(pub usize);

/// What goes over the wire.
pub trait Message: Serialize + DeserializeOwned {
    /// Last word of its subject.
    const WORD: &'static str;
    /// First bytes of each.
    const MAGIC: [u8; 2];
    /// Longest one that is sent, bytes.
    const MAX_BYTES: usize;

    /// What is wrong with its values.
    fn check(&self) -> Result<(), String>;

    /// As bytes.
    fn write(&self) -> Result<Vec<u8>, WriteError> {
        let mut bytes = Vec::with_capacity(Self::MAX_BYTES);
        bytes.extend_from_slice(&Self::MAGIC);
        bytes.extend_from_slice(&[MAJOR, MINOR]);
        let room = (Self::MAX_BYTES - HEADER_BYTES) as u64;
        let written = bincode::DefaultOptions::new().with_limit(room).serialize_into(&mut bytes, self);
        written.map_err(|_| WriteError(Self::MAX_BYTES))?;
        Ok(bytes)
    }

    /// From bytes of this or a newer minor version.
    fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() > MAX_READ_BYTES {
            return Err(ReadError::Oversized(bytes.len()));
        }
        let Some((&[k, kind, major, _minor], body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(ReadError::Foreign);
        };
        if [k, kind] != Self::MAGIC {
            return Err(ReadError::Foreign);
        }
        if major != MAJOR {
            return Err(ReadError::Version(major));
        }
        let bincode = bincode::DefaultOptions::new().with_limit(MAX_READ_BYTES as u64).allow_trailing_bytes();
        let message: Self =
            bincode.deserialize(body).map_err(|error| ReadError::Malformed(error.to_string()))?;
        message.check().map_err(ReadError::Malformed)?;
        Ok(message)
    }
}
