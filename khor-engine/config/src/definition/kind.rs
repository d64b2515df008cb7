//! The kinds of JSON values that settings have.

use serde::Serialize;

/// The kind of value that a setting has in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// Any number.
    Number,
    /// A whole number.
    Whole,
    /// A text.
    Text,
    /// A list.
    List,
}

impl Kind {
    /// Describes the values of this kind in words, such as `a whole number from 0`.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Switch => "true or false",
            Self::Number => "a number",
            Self::Whole => "a whole number from 0",
            Self::Text => "a text",
            Self::List => "a list",
        }
    }
}
