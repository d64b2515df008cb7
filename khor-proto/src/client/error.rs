//! The errors of a client, with messages for users.

use std::{io, path::PathBuf};

/// Why a connection failed or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client cannot connect: for example, the socket has no listener, or this user has no
    /// permission.
    #[error("cannot connect to {}: {source}{}", socket.display(), advice(source))]
    Connect {
        /// Path of the socket.
        socket: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// The collector rejected this client.
    #[error("the collector rejects this client: {reason}")]
    Refused {
        /// The reason that the collector gave.
        reason: String,
    },
    /// The collector ended the connection.
    #[error("the collector ended the connection: {reason}")]
    Bye {
        /// The reason that the collector gave.
        reason: String,
    },
    /// The connection is open, but the collector sends nothing, because it is stopped or
    /// overloaded.
    #[error("the collector does not answer")]
    Silent,
    /// The connection ended without a last message, for example because the collector was killed.
    #[error("the connection to the collector was lost")]
    Lost,
    /// The data does not follow khor's protocol.
    #[error("the collector sent a malformed frame; it may have another version or be another program")]
    Malformed,
    /// A valid message arrived at the wrong time.
    #[error("the collector sent {message}; it may have another version or be another program")]
    OutOfTurn {
        /// What the collector sent, such as `a second Welcome`.
        message: &'static str,
    },
    /// Any other failure of the socket.
    #[error("cannot exchange messages with the collector: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Malformed,
            // If the stream ends inside a frame, the frame decoder returns `Other`.
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::Other => Self::Lost,
            _ => Self::Io(error),
        }
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => " (is khor-collector running?)",
        io::ErrorKind::PermissionDenied => {
            " (only root and the group khor may connect; run `sudo usermod -aG khor $USER` and log in again)"
        }
        _ => "",
    }
}
