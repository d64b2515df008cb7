//! Whether a counter or a kind of cue is available.

use serde::{Deserialize, Serialize};

/// Whether a counter or a kind of cue is available on this machine, or in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// The kernel provides the counter or the cues.
    Available,
    /// The kernel does not provide the counter or the cues. Every sample has `None` in the place of
    /// an absent counter.
    Absent {
        /// Why, for the machine's owner, with the fix if there is one.
        reason: String,
    },
}
