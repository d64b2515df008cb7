//! Names of sites, hosts and sections: one word of a subject each.

use std::fmt;

use khor_proto::inert;
use serde::{Deserialize, Serialize};

/// A site, a host or a section: 1 to 63 of a-z A-Z 0-9 - _, so that it is one word of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there, or too much.
    #[error(
        "\"{}\" has {length} characters, expected 1 to {}: give a shorter one",
        shown(text),
        Name::MAX_LEN
    )]
    Length {
        /// The name.
        text: String,
        /// Its bytes.
        length: usize,
    },
    /// A dot, a wildcard, a space: what means something in a subject, or isn't plain.
    #[error("\"{}\" contains {found:?}, expected only a-z A-Z 0-9 - _: try \"{instead}\"", shown(text))]
    Character {
        /// The name.
        text: String,
        /// What can't be in it.
        found: char,
        /// A name like it that can be.
        instead: String,
    },
}

/// The beginning of a refused name, with escapes, because such a name may contain any character.
fn shown(text: &str) -> String {
    inert::escaped(text, Name::MAX_LEN)
}

impl Name {
    /// Longest name, bytes: that of a DNS label.
    pub const MAX_LEN: usize = 63;

    /// Checks a name.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if let Some(found) = text.chars().find(|c| !is_plain(*c)) {
            let instead =
                text.chars().map(|c| if is_plain(c) { c } else { '-' }).take(Self::MAX_LEN).collect();
            return Err(NameError::Character { text, found, instead });
        }
        let length = text.len();
        if (1..=Self::MAX_LEN).contains(&length) {
            Ok(Self(text))
        } else {
            Err(NameError::Length { text, length })
        }
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
