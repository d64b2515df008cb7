//! A missing prerequisite, and how to fix it.

/// Why a prerequisite is missing or wrong, and how the machine's owner can fix this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What is missing or wrong, one line.
    pub error: String,
    /// How to fix the problem, one line.
    pub fix: String,
}
