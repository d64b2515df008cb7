//! What is missing or wrong, and what to do about it.

/// Why something is missing, and what the machine's owner can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What is wrong.
    pub error: String,
    /// What to do.
    pub fix: String,
}
