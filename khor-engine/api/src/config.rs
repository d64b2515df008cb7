//! The answer to a change of the configuration: `PUT` and `PATCH /api/config`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to a change: the whole new configuration. `C` is the type of the configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "ConfigChanged")]
pub struct ConfigChanged<C> {
    /// The sections of the configuration, as fields of this object.
    #[serde(flatten)]
    pub config: C,
    /// Always true.
    pub ok: bool,
    /// Whether a changed key takes effect only after a restart.
    pub restart_required: bool,
    /// Why khor could not write the change to the configuration file; `null` if it was written. A
    /// change that was not written lasts until the engine ends.
    pub not_saved: Option<String>,
}
