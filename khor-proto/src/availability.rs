//! Whether a counter or a kind of cue is available.

use serde::{Deserialize, Serialize};

/// Whether a counter can be read on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// The counter is available.
    Available,
    /// The counter is missing, and every sample has `None` in its place.
    Absent {
        /// The reason for the machine's owner, with the fix if there is one.
        reason: String,
    },
}
