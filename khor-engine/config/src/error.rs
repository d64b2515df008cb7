//! The error of a configuration with an invalid setting.

use khor_proto::inert;
use khor_system::words::cut;

/// Longest value that an error quotes, characters.
const QUOTED_CHARS: usize = 100;
/// Longest explanation in an error, characters.
const PROBLEM_CHARS: usize = 400;

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", inert::escaped(.field, QUOTED_CHARS), inert::lines(&cut(.problem, PROBLEM_CHARS)))]
pub struct ConfigError {
    /// Dotted path of the field.
    pub field: String,
    /// The problem and the expected value.
    pub problem: String,
}

/// The problem of a value that a setting does not accept.
pub(crate) fn not_allowed(value: &dyn std::fmt::Display, expected: &str) -> String {
    // The value may be long and may contain any character.
    format!("{} is not allowed, expected {expected}", inert::escaped(&value.to_string(), QUOTED_CHARS))
}
