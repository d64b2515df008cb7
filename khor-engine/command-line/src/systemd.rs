//! Notifies systemd of the service's state (`sd_notify(3)`), if systemd started the service with
//! `NOTIFY_SOCKET`.

use sd_notify::NotifyState;
use tracing::warn;

/// Notifies systemd that the service has started.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// Notifies systemd that the service is about to end.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// Feeds systemd's watchdog as long as `heartbeat` keeps returning new numbers. systemd restarts a
/// service that does not feed its watchdog. Returns immediately if the unit has no watchdog.
pub async fn feed_watchdog(heartbeat: impl Fn() -> u64) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(limit / 3);
    let mut before = None;
    loop {
        ticks.tick().await;
        let now = Some(heartbeat());
        if now != before {
            before = now;
            notify(NotifyState::Watchdog);
        }
    }
}

fn notify(state: NotifyState<'_>) {
    let state = [state];
    if let Err(error) = sd_notify::notify(&state) {
        warn!("cannot notify systemd of {state:?}: {error}");
    }
}
