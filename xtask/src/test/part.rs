//! Describes a part of the tests: its purpose, its needs and its usual time.

use anyhow::Result;

use crate::packages::Need;

/// A part of the tests. `--only NAME` runs it alone.
pub(super) struct Part {
    /// Name of the part, for the option `--only`.
    pub(super) name: &'static str,
    /// What the part does, in a few words.
    pub(super) about: &'static str,
    /// How many minutes the part usually takes on a machine with two cores.
    pub(super) minutes: Minutes,
    /// Whether the part also runs with `--quick`.
    pub(super) is_quick: bool,
    /// System packages that the part needs.
    pub(super) needs: &'static [&'static [Need]],
    /// An earlier part that must pass before this part can start.
    pub(super) after: Option<&'static str>,
    /// Runs the part to its end.
    pub(super) run: fn(Depth) -> Result<Outcome>,
}

/// The usual duration of a part, minutes.
#[derive(Clone, Copy)]
pub(super) struct Minutes {
    /// Usual time in a fresh clone, on a machine on which the tools for the tests are not installed
    /// yet.
    pub(super) cold: f32,
    /// Usual time if an earlier run has already built everything.
    pub(super) warm: f32,
}

/// Which tests of a part to run.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Depth {
    /// Only the quick tests.
    Quick,
    /// All tests.
    Full,
}

/// How a part ended without an error.
pub(crate) enum Outcome {
    Passed,
    /// The part did not run: its inputs have not changed since it last passed.
    Unchanged,
    /// The part cannot run on this machine. The text is the reason.
    Skipped(String),
}

impl Minutes {
    pub(super) const fn new(cold: f32, warm: f32) -> Self {
        Self { cold, warm }
    }
}

/// Whether `KHOR_REQUIRE_ALL` is 1. Every part and every test must then run, so a skip counts as a
/// failure.
pub(super) fn all_required() -> bool {
    std::env::var_os("KHOR_REQUIRE_ALL").is_some_and(|value| value == "1")
}
