//! What is in khor's way on this machine, and how it is mended: `khor doctor` and `/api/doctor`.
//!
//! Each check looks at the machine itself, and at what a running engine says only where looking would disturb it; nothing
//! is changed. One file per
//! room: the [`kernel`], the [`collector`] and how to reach it, the [`session`] with its sound, the
//! [`desktop`], and khor's own [`files`]. What cannot be known is said to be off, with the reason, never to be well.

mod collector;
mod desktop;
mod files;
mod kernel;
mod keys;
mod session;
mod system_bus;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::config::Config;

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
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: CheckState::Ok, detail: detail.into(), fix: None }
    }

    fn problem(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: CheckState::Problem, detail: detail.into(), fix: Some(fix.into()) }
    }

    fn off(name: &'static str, detail: impl Into<String>) -> Self {
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
    fn own_health(&self) -> Option<&Value> {
        let is_own = |health: &&Value| {
            health["config_path"].as_str().is_some_and(|path| Path::new(path) == self.config_path)
        };
        self.health.as_ref().filter(is_own)
    }
}

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// There is no problem.
    pub ok: bool,
    /// Everything that was looked at, in the order of the way from kernel to loudspeaker.
    pub checks: Vec<Check>,
}

/// Looks at everything. Takes up to a few seconds where something hangs. Must be called within a tokio runtime.
pub async fn examine(input: &DoctorInput) -> Diagnosis {
    let mut checks = kernel::examine();
    checks.extend(collector::examine(input).await);
    checks.extend(session::examine(input).await);
    checks.push(desktop::examine(input).await);
    checks.extend(files::examine(input).await);
    checks.push(keys::examine(input).await);
    Diagnosis { ok: checks.iter().all(|check| check.state != CheckState::Problem), checks }
}

/// Whether there is something at that path that this process may read.
fn is_readable(path: &Path) -> bool {
    std::fs::File::open(path).is_ok()
}
