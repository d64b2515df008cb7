//! Handles keys that this version of khor does not know. They stay in the file, because a newer
//! version or another program may have written them. A change that contains them is refused.

use khor_system::words::cut;
use serde_json::Value;

use super::ConfigError;

/// Most names that the warning lists.
const LISTED: usize = 5;
/// Longest name in the warning, characters.
const NAME_CHARS: usize = 60;

/// The unknown keys of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnknownKeys {
    count: usize,
    /// The first names, with control characters escaped.
    first: Vec<String>,
    /// The first unknown key in the section `listen`.
    in_listen: Option<String>,
}

impl UnknownKeys {
    pub(super) fn add(&mut self, path: &str) {
        self.count += 1;
        let short_name = || cut(path, NAME_CHARS).escape_debug().to_string();
        if self.first.len() < LISTED {
            self.first.push(short_name());
        }
        if self.in_listen.is_none() && concerns_listen(path) {
            self.in_listen = Some(short_name());
        }
    }

    /// One line about all unknown keys; `None` without unknown keys.
    pub(super) fn warning(&self) -> Option<String> {
        let Self { count, first, .. } = self;
        let names = first.join(", ");
        match count {
            0 => None,
            1 => Some(format!("khor does not know the key {names}; it stays in the file")),
            _ if *count > first.len() => Some(format!(
                "khor does not know {count} keys; they stay in the file: {names} and {} more",
                count - first.len()
            )),
            _ => Some(format!("khor does not know {count} keys; they stay in the file: {names}")),
        }
    }

    /// The error of an unknown key in the section `listen`. A newer version may restrict access
    /// with that key.
    pub(super) fn listen_error(&self) -> Option<String> {
        self.in_listen.as_ref().map(|key| format!("{key}: {UNKNOWN}"))
    }
}

const UNKNOWN: &str = "khor does not know this key";

/// Whether a field belongs to the section `listen`.
pub(super) fn concerns_listen(field: &str) -> bool {
    match field.strip_prefix("listen") {
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        // The whole document is not an object.
        None => matches!(field, "" | "."),
    }
}

/// Rejects a key of `change` that is not in `known`. Accepts the key if `held` has it with the same
/// value, because a client may send back what it has read.
pub(super) fn reject(change: &Value, known: &Value, held: &Value, path: &str) -> Result<(), ConfigError> {
    let (Value::Object(change), Value::Object(known)) = (change, known) else { return Ok(()) };
    change.iter().try_for_each(|(key, value)| {
        let (below, held) = (join(path, key), &held[key]);
        match known.get(key) {
            Some(known) => reject(value, known, held, &below),
            None if value == held && !held.is_null() => Ok(()),
            None => {
                let field = cut(&below, NAME_CHARS).escape_debug().to_string();
                let problem = format!("{UNKNOWN}; fix the spelling, or see GET /api/config for all keys");
                Err(ConfigError { field, problem })
            }
        }
    })
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Config;

    #[test]
    fn the_warning_names_the_first_keys() {
        let keys = |count: usize| {
            let mut keys = UnknownKeys::default();
            (0..count).for_each(|i| keys.add(&format!("k{i}\x1b")));
            keys.warning()
        };
        assert_eq!(keys(0), None);
        assert_eq!(keys(1).as_deref(), Some("khor does not know the key k0\\u{1b}; it stays in the file"));
        let many = keys(100_000).unwrap();
        assert!(many.contains(" 100000 keys") && many.ends_with(" and 99995 more"), "{many}");
        assert!(!many.contains('\x1b') && many.len() < 500, "{many}");
    }

    #[test]
    fn changes_contain_known_keys_or_echoes() {
        let known = serde_json::to_value(Config::default()).unwrap();
        let held = json!({ "theirs": { "x": 1 }, "music": { "of_theirs": [1] } });
        let refused = |change: Value| reject(&change, &known, &held, "").err().map(|error| error.field);
        assert_eq!(refused(known.clone()), None);
        assert_eq!(refused(json!({ "theirs": { "x": 1 }, "music": { "of_theirs": [1] } })), None);
        for (change, field) in [
            (json!({ "theirs": { "x": 2 } }), "theirs"),
            (json!({ "theirs": null }), "theirs"),
            (json!({ "new": null }), "new"),
            (json!({ "music": { "bmp": 1 } }), "music.bmp"),
            (json!({ "music.bpm": 90 }), "music.bpm"),
            (json!({ "osc": { "receive": { "x\x1b": 1 } } }), "osc.receive.x\\u{1b}"),
            (json!({ "site": { "nats": { "password": "x" } } }), "site.nats.password"),
            (json!({ "signals": { "ceilings": { "r": 1 } } }), "signals.ceilings.r"),
            (json!({ "listen": { "tokenfile": "/t" } }), "listen.tokenfile"),
        ] {
            assert_eq!(refused(change.clone()).as_deref(), Some(field), "{change}");
        }
    }
}
