//! From notes and samples to the world: sound device, OSC, MIDI, files. Each output reports its own health.

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
    /// Wanted and working.
    pub fn working() -> Self {
        Self { enabled: true, ok: true, error: None, fix: None }
    }

    /// Wanted, and not known to work or to fail yet.
    pub fn starting() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    /// Not wanted.
    pub fn off() -> Self {
        Self::default()
    }

    /// Wanted and not working.
    pub fn failing(error: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { enabled: true, ok: false, error: Some(error.into()), fix: Some(fix.into()) }
    }
}
