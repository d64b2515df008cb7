//! Collects the problems of a JSON document while khor reads the document's settings.

use serde_json::{Map, Value};

use super::Place;
use crate::{
    error::{ConfigError, not_allowed},
    unknown_keys::UnknownKeys,
};

/// Reads the settings of a JSON document, and collects the problems found so far.
#[derive(Debug, Default)]
pub struct Reader<'a> {
    /// Invalid settings, in the order of the definitions.
    pub(crate) problems: Vec<ConfigError>,
    /// The keys that this version does not know.
    pub(crate) unknown_keys: UnknownKeys,
    /// The content of the configuration file, if the document is a change. A change may contain an
    /// unknown key only if the key has the same value in the file.
    held: Option<&'a Value>,
}

impl<'a> Reader<'a> {
    /// Creates a reader for a change. `held` is the content of the configuration file.
    pub(crate) fn of_change(held: &'a Value) -> Self {
        Self { held: Some(held), ..Self::default() }
    }

    /// Records an invalid setting.
    pub(crate) fn reject(&mut self, field: impl Into<String>, problem: String) {
        self.problems.push(ConfigError { field: field.into(), problem });
    }

    /// The keys and values of a section. Records the keys that are not in `known`. If `value` is
    /// not a JSON object, records a problem and returns `None`.
    pub(crate) fn section<'v>(
        &mut self,
        value: &'v Value,
        place: &Place<'_>,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(fields) = value.as_object() else {
            self.reject(place.path(), not_allowed(value, "a JSON object"));
            return None;
        };
        for (key, value) in fields.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            self.unknown_key(place, key, value);
        }
        Some(fields)
    }

    fn unknown_key(&mut self, place: &Place<'_>, key: &str, value: &Value) {
        let path = place.path_of(key);
        let Some(held) = self.held else { return self.unknown_keys.add(&path) };
        let section = held.pointer(&pointer(&place.path()));
        let is_echo = !value.is_null() && section.and_then(|section| section.get(key)) == Some(value);
        if !is_echo {
            self.problems.push(UnknownKeys::error(&path));
        }
    }
}

/// Converts the dotted path of a section to a JSON pointer. The names of sections need no escaping.
fn pointer(path: &str) -> String {
    path.split('.').filter(|name| !name.is_empty()).flat_map(|name| ["/", name]).collect()
}
