//! Defines the modes of a site: how its hosts share the music.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the hosts of a site share the music. In every mode, the voices represent the one or two
/// hosts that deviate most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteMode {
    /// All hosts play together as one.
    #[default]
    Ensemble,
    /// Up to four sections play at the same time, each with its own pulse.
    Sections,
    /// The hosts play in turn, half a bar each.
    RollCall,
}
