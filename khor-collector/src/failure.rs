//! The errors that end the collector, each with its documented exit code.

use std::process::ExitCode;

use crate::{
    privilege::{PrivilegeError, UsageError},
    probes::ProbesError,
    serve::SocketError,
};

/// The error that ended the collector.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error(transparent)]
    Probes(#[from] ProbesError),
    #[error(transparent)]
    Privilege(#[from] PrivilegeError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("cannot {action}: {source}")]
    Other { action: &'static str, source: std::io::Error },
}

impl Failure {
    /// The exit code for this error, as listed in `--help`.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other { .. } => 1,
            Self::Usage(_) => 2,
            Self::Probes(ProbesError::NoBtf { .. }) => 3,
            Self::Privilege(_) => 4,
            Self::Socket(_) => 5,
            Self::Probes(ProbesError::Refused { .. }) => 6,
        })
    }

    /// Returns a closure for `map_err`. It converts an I/O error to "cannot `action`: …". An
    /// example of an `action` is "start a thread".
    pub(crate) fn cannot(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Other { action, source }
    }
}
