//! Applies changes that other programs make in the user's files: the configuration and the presets.

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Engine;

/// Time between two checks of the user's files for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Engine {
    fn check_files(&self) {
        self.refresh_config(&mut self.store.lock());
        self.refresh_presets();
    }
}

/// Checks the files until the engine is gone.
pub(super) async fn watch_files(engine: Weak<Engine>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(engine) = engine.upgrade() else { return };
        // The task can only panic, and the panic is logged.
        drop(tokio::task::spawn_blocking(move || engine.check_files()).await);
    }
}
