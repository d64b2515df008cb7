//! The kind of a source: the collector, `/proc`, the demo, a capture or a site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// `khor-collector`, through its socket.
    Collector,
    /// `/proc`, read by the engine itself because there is no collector.
    Proc,
    /// The synthetic demo: not this machine.
    Demo,
    /// A capture that is played: not this machine's current activity.
    Capture,
    /// The relays of a site: many machines.
    Site,
}
