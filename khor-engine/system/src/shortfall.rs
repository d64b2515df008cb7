//! A missing prerequisite, and how to fix it.

/// Why a prerequisite is missing or wrong, and how the owner of the machine can fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What is missing or wrong, one line.
    pub error: String,
    /// How to fix it, one line.
    pub fix: String,
}
