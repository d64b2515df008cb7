//! The rules that several sections share.

use crate::definition::{Rule, TextRule, is_name};

/// Longest host name or IP address, characters.
pub(super) const HOST_CHARS: u32 = 255;
/// The rule for TCP and UDP ports.
pub(super) const PORT: Rule = Rule::Range(1.0, 65_535.0);
/// The rule for shares, which are numbers from 0 (none) to 1 (all).
pub(super) const SHARE: Rule = Rule::Range(0.0, 1.0);
/// The rule for paths of files and folders.
pub(super) const PATH: Rule = Rule::Text(&TextRule::FREE);
/// The rule for names of presets and MIDI ports.
pub(super) const NAME: Rule = Rule::Text(&TextRule {
    min_chars: 1,
    max_chars: 64,
    form: "a name of visible characters",
    is_valid: is_name,
    ..TextRule::FREE
});
/// The rule for process ids: numbers up to the kernel's limit (`PID_MAX_LIMIT`).
pub(super) const PID: Rule = Rule::Range(1.0, 4_194_304.0);
