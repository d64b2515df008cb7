//! Handles keys in the configuration that this version of khor does not know. The keys stay in the
//! file, because a newer version or another program may have written them. khor rejects a change
//! with an unknown key.

use khor_system::words::cut;

use crate::error::ConfigError;

/// Maximum number of keys that the warning names.
const LISTED: usize = 5;
/// Longest key in the warning, characters.
const NAME_CHARS: usize = 60;

/// The unknown keys of a configuration document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnknownKeys {
    count: usize,
    /// The names of the first unknown keys. Control characters in the names are escaped.
    first: Vec<String>,
    /// The first unknown key in the section `listen`.
    in_listen: Option<String>,
}

impl UnknownKeys {
    pub(crate) fn add(&mut self, path: &str) {
        self.count += 1;
        let short_name = || cut(path, NAME_CHARS).escape_debug().to_string();
        if self.first.len() < LISTED {
            self.first.push(short_name());
        }
        if self.in_listen.is_none() && concerns_listen(path) {
            self.in_listen = Some(short_name());
        }
    }

    /// Returns a one-line warning about all unknown keys, or `None` if there are none.
    pub(crate) fn warning(&self) -> Option<String> {
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

    /// The error of an unknown key in the section `listen`; `None` if there is no such key. Such a
    /// key is an error because a newer version of khor may use it to restrict the access to the
    /// API.
    pub(crate) fn listen_error(&self) -> Option<String> {
        self.in_listen.as_ref().map(|key| format!("{key}: {UNKNOWN}"))
    }

    /// Creates the error of a change with an unknown key.
    pub(crate) fn error(path: &str) -> ConfigError {
        let field = cut(path, NAME_CHARS).escape_debug().to_string();
        ConfigError { field, problem: format!("{UNKNOWN}; GET /api/config has all keys") }
    }

    /// Adds the name of the most similar setting to the error of an unknown key. Does not change
    /// other errors.
    pub(crate) fn suggest(
        error: ConfigError,
        closest: impl FnOnce(&str) -> Option<&'static str>,
    ) -> ConfigError {
        let Some(rest) = error.problem.strip_prefix(UNKNOWN) else { return error };
        match closest(&error.field) {
            Some(path) => ConfigError {
                problem: format!("{UNKNOWN}; did you mean {path}? {}", rest.trim_start_matches([';', ' '])),
                ..error
            },
            None => error,
        }
    }
}

const UNKNOWN: &str = "khor does not know this key";

/// Whether the path `field` is in the section `listen`, or is the whole document.
pub(crate) fn concerns_listen(field: &str) -> bool {
    match field.strip_prefix("listen") {
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        // If the document is not a JSON object, `field` is the empty path of the whole document.
        None => matches!(field, "" | "."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
