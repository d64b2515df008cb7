//! The table of all settings, for `khor config`, the page and the documents.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Access, Place, Rule};

/// The kind of a setting's value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// A text.
    Text,
    /// A list.
    List,
}

impl Kind {
    /// The values of this kind in words.
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

/// A row of the table: one setting.
#[derive(Clone, Debug)]
pub struct Field {
    /// Dotted path: `music.bpm`.
    pub path: String,
    /// Meaning and unit.
    pub meaning: &'static str,
    /// Kind of the value.
    pub kind: Kind,
    /// Whether the value may be `null`.
    pub is_nullable: bool,
    /// The allowed values.
    pub rule: Rule,
    /// The allowed words, if the setting has a fixed list of them; else empty.
    pub choices: Vec<String>,
    /// The default, as JSON.
    pub default: Value,
    /// Who may change it.
    pub access: Access,
    /// Whether a change takes effect only after a restart.
    pub needs_restart: bool,
}

impl Field {
    pub(super) fn new(place: &Place<'_>, kind: Kind, default: Value) -> Self {
        let spec = place.spec;
        Self {
            path: place.path(),
            meaning: spec.meaning.trim(),
            kind,
            is_nullable: false,
            rule: spec.rule,
            choices: Vec::new(),
            default,
            access: spec.access,
            needs_restart: spec.needs_restart,
        }
    }

    /// The allowed values in words: `20 to 300`.
    pub fn range(&self) -> String {
        let words = if self.choices.is_empty() { self.rule.words() } else { self.choices.join(", ") };
        if words.is_empty() { self.kind.words().to_owned() } else { words }
    }

    /// The row as JSON, with the limits as numbers.
    pub fn to_json(&self) -> Value {
        let mut row = json!({
            "path": self.path,
            "kind": self.kind,
            "range": self.range(),
            "default": self.default,
            "meaning": self.meaning,
            "set_by": self.access,
            "needs_restart": self.needs_restart,
        });
        if let Rule::Range(low, high) = self.rule {
            row["minimum"] = json!(low);
            row["maximum"] = json!(high);
        }
        row
    }
}
