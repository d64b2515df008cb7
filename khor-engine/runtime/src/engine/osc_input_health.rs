//! The health of the OSC input, for `/api/health`.

use khor_output::Health;
use schemars::JsonSchema;
use serde::Serialize;

/// How it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OscInputHealth {
    /// Whether khor listens.
    #[serde(flatten)]
    pub health: Health,
    /// Messages that came.
    pub messages: u64,
    /// Packets and messages that were refused.
    pub refused: u64,
    /// Why the last of those was.
    pub last_refusal: Option<String>,
}
