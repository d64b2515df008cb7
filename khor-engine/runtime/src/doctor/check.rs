//! The input for the checks of `khor doctor`.

use std::path::{Path, PathBuf};

use khor_api::HealthReport;
use khor_config::Config;

/// The values that the checks examine.
#[derive(Clone, Debug)]
pub struct DoctorInput {
    /// The collector's socket.
    pub socket: PathBuf,
    /// The configuration file.
    pub config_path: PathBuf,
    /// The configuration, including the flags of the command line.
    pub config: Config,
    /// The health report of the running engine. `None` if no engine answers.
    pub health: Option<HealthReport>,
}

impl DoctorInput {
    /// Returns the health report of the running engine if it uses the configuration file
    /// [`Self::config_path`]. Otherwise returns `None`, because the engine may belong to another
    /// user.
    pub(super) fn own_health(&self) -> Option<&HealthReport> {
        self.health.as_ref().filter(|health| Path::new(&health.config_path) == self.config_path)
    }
}

/// Returns whether this process can open the file at `path` for reading.
pub(super) fn is_readable(path: &Path) -> bool {
    std::fs::File::open(path).is_ok()
}
