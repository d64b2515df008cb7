//! One check, and its input.

use std::path::{Path, PathBuf};

use khor_config::Config;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What, in one or two words.
    pub name: &'static str,
    /// How it is.
    pub state: CheckState,
    /// What was found.
    pub detail: String,
    /// What to do about a problem.
    pub fix: Option<String>,
}

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Something is missing or wrong; khor does without, and not everything is heard.
    Problem,
    /// Not wanted, or not on this machine; nothing is wrong with that.
    Off,
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: CheckState::Ok, detail: detail.into(), fix: None }
    }

    pub(super) fn problem(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: CheckState::Problem, detail: detail.into(), fix: Some(fix.into()) }
    }

    pub(super) fn off(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: CheckState::Off, detail: detail.into(), fix: None }
    }
}

/// Where to look.
#[derive(Clone, Debug)]
pub struct DoctorInput {
    /// The collector's socket.
    pub socket: PathBuf,
    /// The configuration's file, and what it says.
    pub config_path: PathBuf,
    /// The configuration in use.
    pub config: Config,
    /// What `/api/health` of the engine says that runs with this configuration, if one does.
    pub health: Option<Value>,
}

impl DoctorInput {
    /// What the engine says of itself, unless it is somebody else's, who has this one's port.
    pub(super) fn own_health(&self) -> Option<&Value> {
        let is_own = |health: &&Value| {
            health["config_path"].as_str().is_some_and(|path| Path::new(path) == self.config_path)
        };
        self.health.as_ref().filter(is_own)
    }
}

/// Whether there is something at that path that this process may read.
pub(super) fn is_readable(path: &Path) -> bool {
    std::fs::File::open(path).is_ok()
}
