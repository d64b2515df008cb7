//! Whether a counter or a kind of cue is available.

use serde::{Deserialize, Serialize};

/// Whether a counter can be read on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// It is being counted.
    Available,
    /// It is not, and every sample carries `None` in its place.
    Absent {
        /// Why, in words for the machine's owner, with the fix where there is one.
        reason: String,
    },
}
