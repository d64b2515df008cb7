//! The type of the answer to `PUT` and `PATCH /api/config`, which change the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to a change of the configuration. It contains the whole new configuration, of type
/// `C`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "ConfigChanged")]
pub struct ConfigChanged<C> {
    /// The sections of the configuration, as fields of this object.
    #[serde(flatten)]
    pub config: C,
    /// Always true.
    pub ok: bool,
    /// Whether at least one of the changed settings takes effect only after a restart of khor.
    pub restart_required: bool,
    /// Why khor could not write the change to the configuration file; `null` if khor wrote it. An
    /// unwritten change is lost when the engine ends.
    pub not_saved: Option<String>,
}
