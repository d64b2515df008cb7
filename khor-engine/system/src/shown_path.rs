//! Paths in answers of the API.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// A path that answers show. Bytes that are not UTF-8 are shown as U+FFFD. serde rejects such a
/// path, and then the whole answer would be an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPath(PathBuf);

impl From<PathBuf> for ShownPath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl From<&Path> for ShownPath {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl AsRef<Path> for ShownPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Serialize for ShownPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.display())
    }
}

impl JsonSchema for ShownPath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    #[test]
    fn any_path_can_be_shown() {
        let path = Path::new(OsStr::from_bytes(b"/home/\xff\xfe/khor"));
        assert!(serde_json::to_value(path).is_err(), "serde rejects the path");
        assert_eq!(serde_json::to_value(ShownPath::from(path)).unwrap(), "/home/\u{fffd}\u{fffd}/khor");
    }
}
