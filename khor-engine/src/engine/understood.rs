//! Changes of the settings in the forms that clients send, which are more than khor writes itself.

use serde_json::{Value, json};

use crate::config::{Config, numbers::fit_numbers};

/// The default device by its name in the original khor's API; in the settings it is empty.
const DEFAULT_DEVICE: &str = "default";

/// The change with whole numbers as integers and the default device as khor names it.
pub(super) fn understood(change: &Value, before: &Config) -> Value {
    let mut change = change.clone();
    // A configuration is a tree of plain values; that it can't be written is impossible.
    fit_numbers(&mut change, &serde_json::to_value(before).unwrap_or_default());
    if let Some(device) = change.pointer_mut("/audio/device")
        && *device == DEFAULT_DEVICE
    {
        *device = json!("");
    }
    change
}
