//! Longest texts of the configuration.

pub(super) use khor_system::files::PATH_CHARS;

/// Longest host name or address, characters.
pub(super) const HOST_CHARS: u32 = 255;
/// Longest name of a preset or of a MIDI port, characters.
pub(super) const NAME_CHARS: u32 = 64;
/// Longest id of a sound device, characters.
pub(super) const DEVICE_CHARS: u32 = 512;
