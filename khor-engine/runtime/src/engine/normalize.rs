//! Normalises changes of the configuration in JSON. Clients may use forms that the configuration
//! itself does not have, such as the name of the default device.

use serde_json::{Value, json};

/// Name of the default sound device in the API of khor's first version. The configuration uses an
/// empty name for it.
pub(super) const DEFAULT_DEVICE: &str = "default";

/// Keys that only appear in the answer to a change. They are removed, because a client may send the
/// whole answer back as another change.
const ANSWER_KEYS: [&str; 3] = ["ok", "restart_required", "not_saved"];

/// Replaces [`DEFAULT_DEVICE`] by an empty name, and removes [`ANSWER_KEYS`].
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
