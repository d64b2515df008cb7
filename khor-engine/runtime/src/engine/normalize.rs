//! Normalizes changes in JSON. Clients may send some values in forms that khor does not store.

use serde_json::{Value, json};

/// Name of the default device in the original khor's API. In the settings the name is empty.
pub(super) const DEFAULT_DEVICE: &str = "default";

/// Keys that answers have in addition to the configuration. A client may send an answer back as a
/// change.
const ANSWER_KEYS: [&str; 3] = ["ok", "restart_required", "not_saved"];

/// Replaces the original khor's name of the default device, and removes the keys that only answers
/// have.
pub(super) fn normalized(change: &Value) -> Value {
    let mut change = change.clone();
    if let Value::Object(fields) = &mut change {
        fields.retain(|key, _| !ANSWER_KEYS.contains(&key.as_str()));
    }
    if let Some(device) = change.pointer_mut("/audio/device")
        && *device == DEFAULT_DEVICE
    {
        *device = json!("");
    }
    change
}
