//! Defines the kinds of sources: the collector, `/proc`, the demo, a capture or a site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// `khor-collector`, through its socket.
    Collector,
    /// `/proc`, which the engine reads itself if there is no collector.
    Proc,
    /// The demo, which delivers synthetic counters.
    Demo,
    /// A capture, which contains recorded counters.
    Capture,
    /// The relays of a site, which publish the counters of many hosts.
    Site,
}
