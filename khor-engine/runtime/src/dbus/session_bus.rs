//! Connects to the session bus, and defines how often values are published. All modules that use
//! the session bus share this code.

use std::time::Duration;

use zbus::connection::Builder;

/// Maximum time to wait for an answer of another program.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two checks for changes that must be published.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Number of polls between two updates of numbers and texts. The whole bus receives these updates,
/// so they are sent at most once a second.
pub(super) const POLLS_PER_SLOW_UPDATE: u32 = 4;

/// Creates the builder of a connection to the session bus.
pub(super) fn session() -> Builder<'static> {
    // With the default options, two engines would repeatedly take the name from each other.
    Builder::session()
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(CALL_TIMEOUT)
}

/// Sets `held` to `now`. Returns whether the value has changed.
pub(super) fn replace_if_changed<T: PartialEq>(held: &mut T, now: T) -> bool {
    let is_new = *held != now;
    *held = now;
    is_new
}
