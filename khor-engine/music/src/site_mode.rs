//! The modes of a site: which of its hosts play.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which hosts of a site play. In each mode, the most deviant one or two hosts have the voices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteMode {
    /// All hosts as one.
    #[default]
    Ensemble,
    /// Each of up to four sections has a pulse of its own.
    Sections,
    /// Every host in turn, half a bar each.
    RollCall,
}
