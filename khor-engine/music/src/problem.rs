//! Describes a problem of a preset: its field, and how to fix it.

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A problem of a preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{}{message}", prefix(path))]
pub struct Problem {
    /// Path of the field, such as `bed.velocity`, `pulse[1].from` or `map[3].range`; empty for the
    /// whole preset.
    pub path: String,
    /// The problem, and a valid alternative.
    pub message: String,
}

impl Problem {
    /// A problem whose texts are made safe to print, because they may quote the preset.
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: inert::owned_line(path.into()), message: inert::owned_line(message.into()) }
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// The problems that were found in a preset.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::new(path, message));
    }

    /// Adds a problem unless `holds`. `rule` completes the sentence "must be …".
    pub(super) fn require(&mut self, holds: bool, path: impl Into<String>, rule: &str) {
        if !holds {
            self.add(path, format!("must be {rule}"));
        }
    }

    /// The value if there is no problem, otherwise the problems.
    pub(super) fn into_result<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, more: I) {
        self.0.extend(more);
    }
}
