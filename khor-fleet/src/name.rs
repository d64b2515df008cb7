//! Names of sites, hosts and sections. A name is one word (token) of a NATS subject.

use std::fmt;

use khor_proto::inert;
use serde::{Deserialize, Serialize};

/// The name of a site, a host or a section: 1 to 63 characters of a-z A-Z 0-9 - _.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty or too long.
    #[error("\"{}\" has {length} characters, but a name must have 1 to {}", shown(text), Name::MAX_LEN)]
    Length {
        /// The text.
        text: String,
        /// Length of the text, bytes.
        length: usize,
    },
    /// The text contains a character that is not allowed, for example a dot, a wildcard or a space.
    #[error("\"{}\" contains {found:?}; only a-z A-Z 0-9 - _ are allowed; try \"{instead}\"", shown(text))]
    Character {
        /// The text.
        text: String,
        /// The first character that is not allowed.
        found: char,
        /// A similar name that is valid.
        instead: String,
    },
}

/// Shows the beginning of a rejected name. Escapes unsafe characters, because the name may contain
/// any character.
fn shown(text: &str) -> String {
    inert::escaped(text, Name::MAX_LEN)
}

impl Name {
    /// Maximum length of a name, bytes. It equals the maximum length of a DNS label.
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

    /// The name as text.
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
