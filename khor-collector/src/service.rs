//! What systemd is told (`sd_notify(3)`), if it asks.

use std::sync::Arc;

use sd_notify::NotifyState;

use crate::serve::Server;

/// The collector serves.
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// The collector is about to end.
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

/// Tells again and again that the collector is alive, if systemd wants to know. Whatever listens runs in the same
/// thread, and whatever talks holds a lock that the server is asked about first; so a loop that hangs is noticed.
pub(crate) async fn keep_watchdog_quiet(server: Arc<Server>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(limit / 2);
    loop {
        ticks.tick().await;
        server.wait_for_sender();
        tell(NotifyState::Watchdog);
    }
}

fn tell(state: NotifyState<'_>) {
    let state = [state];
    if let Err(error) = sd_notify::notify(&state) {
        tracing::warn!("telling systemd {state:?}: {error}");
    }
}
