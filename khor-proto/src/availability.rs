//! Describes whether a counter or a kind of cue is available.

use serde::{Deserialize, Serialize};

/// Whether a counter or a kind of cue is available on this machine, or in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// The kernel provides the counter or the cues.
    Available,
    /// The kernel does not provide the counter or the cues. The count of an absent counter is
    /// `None` in every sample.
    Absent {
        /// A text for users: why the counter or the cues are absent and, if possible, how to
        /// provide them.
        reason: String,
    },
}
