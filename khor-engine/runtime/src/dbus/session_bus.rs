//! The connection to the session bus, and how often values are published. All modules that use the
//! session bus share these.

use std::time::Duration;

use zbus::connection::Builder;

/// Longest wait for an answer of another program.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two checks for changes that must be published.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Number of polls between two updates of numbers and texts. The whole bus receives such an update,
/// so it is sent once a second at most.
pub(super) const POLLS_PER_SLOW_UPDATE: u32 = 4;

/// Starts to build a connection to the session bus.
pub(super) fn session() -> Builder<'static> {
    // By default, two engines would keep taking the name from each other.
    Builder::session()
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(CALL_TIMEOUT)
}

/// Replaces the value `held` with `now`. Returns whether the two differed.
pub(super) fn replace_if_changed<T: PartialEq>(held: &mut T, now: T) -> bool {
    let is_new = *held != now;
    *held = now;
    is_new
}
