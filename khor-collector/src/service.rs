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

/// Notifies systemd's watchdog, if it is on. Each notification needs this thread, which also reads
/// from clients, and the lock of the thread that sends to clients. So a hang of either thread stops
/// the notifications.
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
