//! The answer to a change of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole configuration after a change. `C` is the configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "ConfigChanged")]
pub struct ConfigChanged<C> {
    /// The configuration, as fields beside the others.
    #[serde(flatten)]
    pub config: C,
    /// True.
    pub ok: bool,
    /// Whether a changed key takes effect only after a restart.
    pub restart_required: bool,
    /// Why the file does not have the change, which then lasts until the engine ends; `null` if the
    /// file has it.
    pub not_saved: Option<String>,
}
