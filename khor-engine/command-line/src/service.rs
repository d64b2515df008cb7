//! What systemd is told (`sd_notify(3)`), if it asks.

use sd_notify::NotifyState;
use tracing::warn;

/// It works.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// It is about to end.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Tells again and again that work is done, if systemd wants to know; says nothing as long as the `heartbeat`, a number
/// that work changes, stays what it is.
pub async fn keep_watchdog_quiet(heartbeat: impl Fn() -> u64) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(limit / 3);
    let mut before = None;
    loop {
        ticks.tick().await;
        let now = Some(heartbeat());
        if now != before {
            before = now;
            tell(NotifyState::Watchdog);
        }
    }
}

fn tell(state: NotifyState<'_>) {
    let state = [state];
    if let Err(error) = sd_notify::notify(&state) {
        warn!("telling systemd {state:?}: {error}");
    }
}
