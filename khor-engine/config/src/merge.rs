//! Merges JSON documents: the file, a change of it, and the command line.

use serde_json::Value;

use super::ConfigError;

/// An empty JSON object.
pub(super) fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Merges objects key by key; any other value replaces the old one.
pub(super) fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

/// Removes every key from `overrides` that `change` sets.
pub(super) fn drop_changed(overrides: &mut Value, change: &Value) {
    let (Value::Object(overrides), Value::Object(change)) = (overrides, change) else { return };
    overrides.retain(|key, held| match change.get(key) {
        Some(change) if held.is_object() && change.is_object() => {
            drop_changed(held, change);
            true
        }
        Some(_) => false,
        None => true,
    });
}

/// Removes every key from `change` whose value equals that of `overrides`.
pub(super) fn drop_echoes(change: &mut Value, overrides: &Value) {
    let (Value::Object(change), Value::Object(overrides)) = (change, overrides) else { return };
    change.retain(|key, wanted| match overrides.get(key) {
        Some(held) if held.is_object() && wanted.is_object() => {
            drop_echoes(wanted, held);
            true
        }
        held => held != Some(wanted),
    });
}

/// Rejects a change that replaces an object by another type. serde would accept a list for a struct
/// and use defaults for the missing fields.
pub(super) fn check_shape(held: &Value, change: &Value, path: &str) -> Result<(), ConfigError> {
    let Value::Object(held) = held else { return Ok(()) };
    let Value::Object(change) = change else {
        return Err(ConfigError { field: path.to_owned(), problem: "expected a JSON object".into() });
    };
    change.iter().filter_map(|(key, change)| Some((key, held.get(key)?, change))).try_for_each(
        |(key, held, change)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            check_shape(held, change, &path)
        },
    )
}
