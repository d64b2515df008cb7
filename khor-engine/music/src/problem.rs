//! Describes a problem in a preset: which field it is in, and how to fix it.

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A problem in a preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{}{message}", prefix(path))]
pub struct Problem {
    /// Path of the invalid field, such as `bed.velocity`, `pulse[1].from` or `map[3].range`. It is
    /// empty if the problem concerns the whole preset.
    pub path: String,
    /// What is wrong, and which values are valid.
    pub message: String,
}

impl Problem {
    /// Creates a problem. Makes both texts safe to print, because they may quote the preset.
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: inert::owned_line(path.into()), message: inert::owned_line(message.into()) }
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// The problems found in a preset.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::new(path, message));
    }

    /// Adds a problem if `holds` is false. `rule` completes the sentence "must be …".
    pub(super) fn require(&mut self, holds: bool, path: impl Into<String>, rule: &str) {
        if !holds {
            self.add(path, format!("must be {rule}"));
        }
    }

    /// Returns `value` if there are no problems, and the problems otherwise.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, more: I) {
        self.0.extend(more);
    }
}
