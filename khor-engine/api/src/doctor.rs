//! Types of `GET /api/doctor`: the problems that khor finds on this machine, and how to fix them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The results of all checks of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// True if no check found a problem.
    pub ok: bool,
    /// The results of the checks, in the order of the data flow from the kernel to the loudspeaker.
    pub checks: Vec<Check>,
}

/// One check and its result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Check {
    /// What was checked, one or two words, such as `collector`.
    pub name: String,
    /// Whether the check found a problem.
    pub state: CheckState,
    /// What the check found, one line.
    pub detail: String,
    /// How to fix the problem; `null` if the check found no problem.
    pub fix: Option<String>,
}

/// Whether a check found a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// No problem.
    Ok,
    /// Something is missing or wrong. khor still runs, but the music may not represent all
    /// activity.
    Problem,
    /// The checked part is off, or does not exist on this machine. This is not a problem.
    Off,
}

impl Check {
    /// Creates a check that found no problem.
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: CheckState::Ok, detail: detail.into(), fix: None }
    }

    /// Creates a check that found a problem.
    pub fn problem(name: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: CheckState::Problem, fix: Some(fix.into()), ..Self::ok(name, detail) }
    }

    /// Creates a check of a part that is off or does not exist on this machine.
    pub fn off(name: &str, detail: impl Into<String>) -> Self {
        Self { state: CheckState::Off, ..Self::ok(name, detail) }
    }
}
