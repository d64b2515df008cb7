//! A part of the tests: what it proves, what it needs, how long it usually takes.

use anyhow::Result;

use crate::packages::Need;

/// A part, which can be run alone by its name.
pub(super) struct Part {
    /// Name for `--only`.
    pub(super) name: &'static str,
    /// What it does, in a few words.
    pub(super) about: &'static str,
    /// Usual time on two cores.
    pub(super) minutes: Minutes,
    /// Whether `--quick` runs it.
    pub(super) is_quick: bool,
    /// Packages of the machine that it needs.
    pub(super) needs: &'static [&'static [Need]],
    /// An earlier part without which it cannot succeed.
    pub(super) after: Option<&'static str>,
    /// Runs it to its end.
    pub(super) run: fn(Depth) -> Result<Outcome>,
}

/// Usual times, minutes.
#[derive(Clone, Copy)]
pub(super) struct Minutes {
    /// In a fresh clone, on a machine without the helper programs.
    pub(super) cold: f32,
    /// With everything built.
    pub(super) warm: f32,
}

/// How much of a part is run.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Depth {
    /// Only the quick tests.
    Quick,
    /// All of it.
    Full,
}

/// How a part ended, if not in an error.
pub(crate) enum Outcome {
    Passed,
    /// Nothing that it judges has changed since it last passed.
    Unchanged,
    /// It cannot run here, for this reason.
    Skipped(String),
}

impl Minutes {
    pub(super) const fn new(cold: f32, warm: f32) -> Self {
        Self { cold, warm }
    }
}
