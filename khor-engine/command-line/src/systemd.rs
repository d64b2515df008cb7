//! Notifies systemd of the state of the service (`sd_notify(3)`), if systemd asks for it.

use sd_notify::NotifyState;
use tracing::warn;

/// Reports that the service has started.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// Reports that the service is about to end.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// Feeds systemd's watchdog, if it is on, as long as `heartbeat` returns new numbers. systemd
/// restarts a service that stops doing this.
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
        warn!("notifying systemd of {state:?}: {error}");
    }
}
