//! The error of an invalid setting or parameter. Errors of the configuration, the API and OSC have
//! the same form: "music.bpm: 7 is not allowed, expected 20 to 300".

use std::fmt::Display;

use khor_proto::inert;
use khor_system::words::cut;

/// Maximum number of characters that an error quotes from a value.
const QUOTED_CHARS: usize = 100;
/// Longest problem text in an error, characters.
const PROBLEM_CHARS: usize = 400;

/// An invalid setting or parameter, and the values that are allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", inert::escaped(.field, QUOTED_CHARS), inert::lines(&cut(.problem, PROBLEM_CHARS)))]
pub struct ConfigError {
    /// Dotted path of the setting, or name of the parameter.
    pub field: String,
    /// The invalid value and the allowed values.
    pub problem: String,
}

impl ConfigError {
    /// Creates the error of a setting or parameter whose value is not allowed. `expected` names the
    /// allowed values.
    pub fn not_allowed(field: &str, value: &dyn Display, expected: &str) -> Self {
        Self { field: field.to_owned(), problem: not_allowed(value, expected) }
    }

    /// Creates the error of a missing parameter. `expected` names the allowed values.
    pub fn missing(field: &str, expected: &str) -> Self {
        Self { field: field.to_owned(), problem: format!("missing, expected {expected}") }
    }
}

/// Creates the text of the problem that a value is not allowed. Quotes only the start of a long
/// value, and escapes control characters.
pub(crate) fn not_allowed(value: &dyn Display, expected: &str) -> String {
    format!("{} is not allowed, expected {expected}", inert::escaped(&value.to_string(), QUOTED_CHARS))
}
