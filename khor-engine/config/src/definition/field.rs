//! The rows of the table of all settings, which `khor config`, the page and the documents use.

use serde_json::{Value, json};

use super::{Access, Kind, Place, Rule};

/// A row of the table of all settings: one setting.
#[derive(Clone, Debug)]
pub struct Field {
    /// Dotted path of the setting, such as `music.bpm`.
    pub path: String,
    /// Meaning and unit of the setting.
    pub meaning: &'static str,
    /// Kind of the setting's value.
    pub kind: Kind,
    /// Whether the value may be `null`.
    pub is_nullable: bool,
    /// The allowed values.
    pub rule: Rule,
    /// The allowed texts, if the setting has a fixed list of them; else empty.
    pub choices: Vec<String>,
    /// The default value, as JSON.
    pub default: Value,
    /// Which callers may change the setting.
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

    /// The allowed values in words, such as `20 to 300`.
    pub fn range(&self) -> String {
        let words = if self.choices.is_empty() { self.rule.words() } else { self.choices.join(", ") };
        if words.is_empty() { self.kind.words().to_owned() } else { words }
    }

    /// Returns the row as JSON. In addition to the range in words, the JSON has the lowest and
    /// highest value as numbers.
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
