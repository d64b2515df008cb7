//! Watches the user's files, and applies changes that other programs make to the configuration and
//! the presets.

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Engine;

/// Time between two checks of the files for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Engine {
    /// Applies changes in the configuration file and the preset files.
    fn check_files(&self) {
        self.refresh_config(&mut self.store.lock());
        self.refresh_presets();
    }
}

/// Checks the configuration file and the preset files once a second, until the engine is dropped.
pub(super) async fn watch_files(engine: Weak<Engine>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(engine) = engine.upgrade() else { return };
        // The only possible error is a panic, which is already logged.
        drop(tokio::task::spawn_blocking(move || engine.check_files()).await);
    }
}
