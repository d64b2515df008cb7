//! What the modules of the session bus share: the connection, and how often they publish changes.

use std::time::Duration;

use zbus::connection::Builder;

/// Longest wait for an answer of another program.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two checks for changes.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Checks between two updates of numbers and texts, which go to the whole bus: one update a second.
pub(super) const POLLS_PER_SLOW_UPDATE: u32 = 4;

/// Starts to build a connection to the session bus.
pub(super) fn session() -> Builder<'static> {
    // By default, a second engine would take the name from the first, and both would alternate.
    Builder::session()
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(CALL_TIMEOUT)
}

/// Replaces `held` with `now`. Returns whether the two differed.
pub(super) fn replace_if_changed<T: PartialEq>(held: &mut T, now: T) -> bool {
    let is_new = *held != now;
    *held = now;
    is_new
}
