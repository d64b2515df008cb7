//! Defines the command line.

use std::path::PathBuf;

use clap::Parser;
use khor_proto::client::{DEFAULT_SOCKET, SOCKET_ENV};

/// Counts kernel events with eBPF and serves the counts on a Unix socket
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Options {
    /// Path of the socket on which clients connect
    #[arg(long, value_name = "PATH", env = SOCKET_ENV, default_value = DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,
    /// Do not use the system bus
    #[arg(long)]
    pub(crate) no_dbus: bool,
    /// Load and attach the probes, print which ones work, and exit
    #[arg(long)]
    pub(crate) check: bool,
    /// User that the process becomes if it is started as root [default: khor if it exists, else
    /// nobody]
    #[arg(long, value_name = "NAME|UID")]
    pub(crate) user: Option<String>,
    /// Group whose members may connect [default: khor if it exists; otherwise only root may
    /// connect]
    #[arg(long, value_name = "NAME|GID")]
    pub(crate) group: Option<String>,
    /// User whom the collector trusts with short intervals, program starts and counts of other
    /// users' processes; may be repeated [always trusted: root and the user who starts the
    /// collector]
    #[arg(long, value_name = "NAME|UID", env = "KHOR_TRUST", value_delimiter = ',', hide_env_values = true)]
    pub(crate) trust: Vec<String>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  stopped by SIGTERM, SIGINT or SIGHUP; with --check: at least one probe works
  1  any other failure
  2  wrong usage
  3  the kernel has no type information (BTF)
  4  a capability is missing, or cannot be given up
  5  the collector cannot listen on the socket
  6  the kernel rejected every probe

Environment:
  KHOR_LOG, RUST_LOG  what to log, such as \"debug\" or \"khor_collector::serve=trace\"
            [default: info]";
