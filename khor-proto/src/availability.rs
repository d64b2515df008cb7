//! Whether a counter or a kind of cue is available.

use serde::{Deserialize, Serialize};

/// Whether a counter or a kind of cue is available on this machine, or in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// The kernel provides it.
    Available,
    /// The kernel does not provide it. Every sample then has `None` in the counter's place.
    Absent {
        /// Why, for the machine's owner, with the fix if there is one.
        reason: String,
    },
}
