//! Sends notes and samples to the sound device, OSC, MIDI and files. Each output reports its own
//! health.

pub mod audio;
pub mod file;
pub mod midi;
pub mod osc;
pub mod recorder;

use schemars::JsonSchema;
use serde::Serialize;

/// Health of one output, as the API shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    /// It is wanted.
    pub enabled: bool,
    /// It works.
    pub ok: bool,
    /// What is wrong, when it is wanted and does not work.
    pub error: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Health {
    /// The health of an output that is on and works.
    pub fn working() -> Self {
        Self { enabled: true, ok: true, error: None, fix: None }
    }

    /// The health of an output that is on and has not worked or failed yet.
    pub fn starting() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    /// The health of an output that is off.
    pub fn off() -> Self {
        Self::default()
    }

    /// The health of an output that is on and does not work.
    pub fn failing(error: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { enabled: true, ok: false, error: Some(error.into()), fix: Some(fix.into()) }
    }
}
