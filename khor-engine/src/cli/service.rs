//! What systemd is told (`sd_notify(3)`), if it asks.

use std::sync::Arc;

use sd_notify::NotifyState;
use tracing::warn;

use crate::engine::Engine;

/// The engine plays.
pub(super) fn ready() {
    tell(NotifyState::Ready);
}

/// The engine is about to end.
pub(super) fn stopping() {
    tell(NotifyState::Stopping);
}

/// Tells again and again that music is made, if systemd wants to know; says nothing as long as none is.
pub(super) async fn keep_watchdog_quiet(engine: Arc<Engine>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(limit / 3);
    let mut before = None;
    loop {
        ticks.tick().await;
        let now = Some(engine.heartbeat());
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
