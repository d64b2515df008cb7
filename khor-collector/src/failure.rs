//! The errors that end the collector, each with its documented exit code.

use std::process::ExitCode;

use crate::{
    privilege::{PrivilegeError, UsageError},
    probes::ProbesError,
    serve::SocketError,
};

/// Why the collector ended.
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
    /// The exit code, as `--help` lists it.
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

    /// For `map_err` on an I/O error of an `action`, such as "start a thread".
    pub(crate) fn cannot(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Other { action, source }
    }
}
