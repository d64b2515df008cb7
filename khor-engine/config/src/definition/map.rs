//! Settings that are maps, such as the ceiling of each signal. A change replaces only the values of
//! the keys that it names.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Access, Field, Leaf, Place, Reader,
    setting::{Setting, access_denied},
};
use crate::error::{ConfigError, not_allowed};

impl Setting for BTreeMap<String, f64> {
    type Patch = Self;

    fn apply(&mut self, patch: &Self) {
        self.extend(patch.iter().map(|(key, value)| (key.clone(), *value)));
    }

    fn to_patch(&self) -> Self {
        self.clone()
    }

    fn check(&self, place: &Place<'_>) -> Result<(), ConfigError> {
        let rule = place.spec.rule;
        self.iter().try_for_each(|(key, value)| {
            let checked = rule.check_key(key).and_then(|()| value.check_rule(&rule.inner()));
            checked.map_err(|problem| ConfigError { field: place.path_of(key), problem })
        })
    }

    fn check_access(&self, patch: &Self, place: &Place<'_>, caller: Access) -> Result<(), ConfigError> {
        let is_change = patch.iter().any(|(key, value)| self.get(key) != Some(value));
        if is_change && place.spec.access > caller { Err(access_denied(place)) } else { Ok(()) }
    }

    fn read(value: &Value, place: &Place<'_>, previous: &Self, reader: &mut Reader<'_>) -> Self {
        let Some(entries) = value.as_object() else {
            reader.reject(place.path(), not_allowed(value, "a JSON object"));
            return previous.clone();
        };
        let rule = place.spec.rule;
        let mut read = Self::new();
        for (key, value) in entries {
            let path = place.path_of(key);
            match rule.check_key(key) {
                Ok(()) => {
                    let number = f64::read_at(value, &path, &rule.inner(), reader);
                    read.extend(number.or(previous.get(key).copied()).map(|number| (key.clone(), number)));
                }
                Err(problem) => reader.reject(path, problem),
            }
        }
        read
    }

    fn write(&self, _: &Place<'_>, into: &mut Value) {
        if !into.is_object() {
            *into = Value::Object(Map::new());
        }
        let Value::Object(entries) = into else { return };
        entries.retain(|key, _| self.contains_key(key));
        for (key, value) in self {
            let held = entries.entry(key.clone()).or_insert(Value::Null);
            if held.as_f64() != Some(*value) {
                *held = json!(value);
            }
        }
    }

    fn needs_restart(&self, now: &Self, place: &Place<'_>) -> bool {
        place.spec.needs_restart && self != now
    }

    fn describe(&self, place: &Place<'_>, fields: &mut Vec<Field>) {
        let row = |(key, value): (&String, &f64)| {
            let rule = place.spec.rule.inner();
            Field { path: place.path_of(key), rule, ..Field::new(place, f64::KIND, value.to_json()) }
        };
        fields.extend(self.iter().map(row));
    }
}
