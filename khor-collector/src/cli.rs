//! The command line.

use std::path::PathBuf;

use clap::Parser;
use khor_proto::client::{DEFAULT_SOCKET, SOCKET_ENV};

/// Counts kernel events with eBPF and serves the counts on a Unix socket
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Options {
    /// Socket to serve on
    #[arg(long, value_name = "PATH", env = SOCKET_ENV, default_value = DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,
    /// Keep off the system bus
    #[arg(long)]
    pub(crate) no_dbus: bool,
    /// Load and attach the probes, say which work, and exit
    #[arg(long)]
    pub(crate) check: bool,
    /// User to become when started as root [default: khor if it exists, else nobody]
    #[arg(long, value_name = "NAME|UID")]
    pub(crate) user: Option<String>,
    /// Group that may connect [default: khor if it exists, else only root may]
    #[arg(long, value_name = "NAME|GID")]
    pub(crate) group: Option<String>,
    /// User who gets everything: short intervals, processes of other users, program starts; may be
    /// repeated [always: root and the user who starts the collector]
    #[arg(long, value_name = "NAME|UID", env = "KHOR_TRUST", value_delimiter = ',', hide_env_values = true)]
    pub(crate) trust: Vec<String>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  stopped by SIGTERM, SIGINT or SIGHUP; with --check: every or some probes work
  1  a failure of no kind below
  2  wrong usage
  3  the kernel has no BTF
  4  a capability is missing, or could not be given up
  5  the socket cannot be served on
  6  the kernel refused every probe

Environment:
  KHOR_LOG, RUST_LOG  what to log, such as \"debug\" or \"khor_collector::serve=trace\"
            [default: info]";
