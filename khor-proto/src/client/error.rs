//! What can go wrong between a client and its collector, in words for the person who runs them.

use std::{io, path::PathBuf};

/// Why a connection failed or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers at the socket, or it may not be opened.
    #[error("connecting to {}: {source}{}", socket.display(), advice(source))]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The collector does not want this client.
    #[error("the collector refused: {reason}")]
    Refused {
        /// The collector's words.
        reason: String,
    },
    /// The collector ended the connection.
    #[error("the collector said goodbye: {reason}")]
    Bye {
        /// The collector's words.
        reason: String,
    },
    /// The connection is open, yet nothing comes: a stopped or overloaded collector.
    #[error("the collector does not answer")]
    Silent,
    /// The connection broke without a word, as when the collector is killed.
    #[error("the connection to the collector was lost")]
    Lost,
    /// Something arrived that is not khor's protocol.
    #[error("the collector sent a malformed frame")]
    Malformed,
    /// A well-formed message at the wrong time.
    #[error("the collector sent {message}")]
    OutOfTurn {
        /// Which.
        message: &'static str,
    },
    /// Any other failure of the socket.
    #[error("talking to the collector: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Malformed,
            // The length codec reports an end inside a frame as `Other`.
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
            " (only root and the group khor may: `sudo usermod -aG khor $USER`)"
        }
        _ => "",
    }
}
