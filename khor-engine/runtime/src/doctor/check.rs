//! The input of the checks.

use std::path::{Path, PathBuf};

use khor_api::HealthReport;
use khor_config::Config;

/// Where to look.
#[derive(Clone, Debug)]
pub struct DoctorInput {
    /// The collector's socket.
    pub socket: PathBuf,
    /// The configuration's file, and what it says.
    pub config_path: PathBuf,
    /// The configuration in use.
    pub config: Config,
    /// The health of the engine that runs with this configuration; `None` if none answers.
    pub health: Option<HealthReport>,
}

impl DoctorInput {
    /// The engine's health, unless the engine uses another configuration file. Another user's
    /// engine may have the same port.
    pub(super) fn own_health(&self) -> Option<&HealthReport> {
        self.health.as_ref().filter(|health| Path::new(&health.config_path) == self.config_path)
    }
}

/// Whether there is something at that path that this process may read.
pub(super) fn is_readable(path: &Path) -> bool {
    std::fs::File::open(path).is_ok()
}
