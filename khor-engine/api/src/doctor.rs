//! `GET /api/doctor`: problems on this machine and their fixes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// Whether there is no problem.
    pub ok: bool,
    /// The checks, in the order from the kernel to the loudspeaker.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Check {
    /// What was checked, one or two words, such as `collector`.
    pub name: String,
    /// The result.
    pub state: CheckState,
    /// What was found.
    pub detail: String,
    /// What to do about a problem; `null` without a problem.
    pub fix: Option<String>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// No problem.
    Ok,
    /// Something is missing or wrong. khor runs, but some activity may be missing in the music.
    Problem,
    /// Switched off, or not on this machine. This is not a problem.
    Off,
}

impl Check {
    /// A check without a problem.
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: CheckState::Ok, detail: detail.into(), fix: None }
    }

    /// A problem and its fix.
    pub fn problem(name: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: CheckState::Problem, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// A check of something that is switched off or not on this machine.
    pub fn off(name: &str, detail: impl Into<String>) -> Self {
        Self { state: CheckState::Off, ..Self::ok(name, detail) }
    }
}
