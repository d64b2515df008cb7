//! Notifies systemd of the state of the service (`sd_notify(3)`), if systemd started it.

use std::sync::Arc;

use sd_notify::NotifyState;

use crate::serve::Server;

/// Reports that the collector serves clients.
pub(crate) fn ready() {
    notify(NotifyState::Ready);
}

/// Reports that the collector is about to end.
pub(crate) fn stopping() {
    notify(NotifyState::Stopping);
}

/// Notifies systemd's watchdog regularly, if the unit has one. The notifications stop if the thread
/// that reads from clients hangs, because this task runs on that thread. They also stop if the
/// thread that sends to clients hangs, because this task waits for it before each notification.
pub(crate) async fn notify_watchdog(server: Arc<Server>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(limit / 2);
    loop {
        ticks.tick().await;
        server.wait_for_sender();
        notify(NotifyState::Watchdog);
    }
}

fn notify(state: NotifyState<'_>) {
    let state = [state];
    if let Err(error) = sd_notify::notify(&state) {
        tracing::warn!("cannot notify systemd of {state:?}: {error}");
    }
}
