//! Types of the requests and answers of `POST /api/actions/…`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to a request that succeeded and has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Done {
    /// Always true.
    pub ok: bool,
}

/// The answer of `POST /api/actions/mute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Muted {
    /// Always true.
    pub ok: bool,
    /// Whether the sound device is muted now.
    pub muted: bool,
}

/// The answer of `POST /api/actions/snooze`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Snoozed {
    /// Always true.
    pub ok: bool,
    /// When the snooze ends, milliseconds since 1970; `null` if the request ended the snooze.
    pub snoozed_until_ts_ms: Option<u64>,
}

/// The parameter `do` of `POST /api/actions/baseline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BaselineAction {
    /// Stop learning the baseline.
    Freeze,
    /// Resume learning the baseline.
    Unfreeze,
    /// Reset the baseline and learn a new one.
    Forget,
}
