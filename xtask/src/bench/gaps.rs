//! Counts the gaps in the sound while other programs with a lower priority keep every processor
//! busy.

use super::row::Promise;

pub(super) const TITLE: &str = "sound on a busy machine";

pub(super) fn promise(name: &str) -> Option<Promise> {
    name.starts_with("gaps in ten minutes").then_some(Promise::AtMost(0.0))
}
