//! Shared parts of the session bus modules: the connection, and how often they publish changes.

use std::time::Duration;

use zbus::connection::Builder;

/// Longest wait for another program's answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two checks for changes.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Numbers and texts are sent to the whole bus at every so many checks: once a second.
pub(super) const POLLS_PER_SLOW_UPDATE: u32 = 4;

/// Builds a connection for a part that serves an interface, or that only calls others.
pub(super) fn session() -> Builder<'static> {
    // By default two engines would take the name from each other for ever.
    Builder::session()
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .method_timeout(CALL_TIMEOUT)
}

/// Replaces `held` by `now`. Returns whether they differed.
pub(super) fn replace_if_changed<T: PartialEq>(held: &mut T, now: T) -> bool {
    let is_new = *held != now;
    *held = now;
    is_new
}
