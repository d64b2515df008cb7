//! Applies changes that other programs make in the user's files: the configuration and the presets.

use std::{sync::Weak, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Engine;
use crate::config::ConfigStore;

/// Time between two checks of the user's files for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

impl Engine {
    /// Applies changes that another program made in the file. Waits for the disk.
    pub(super) fn refresh_config(&self, store: &mut ConfigStore) {
        let before = store.config().clone();
        if store.refresh() {
            self.publish_config(store);
            self.apply(&before, store.config());
        }
    }

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
        // It can only panic, and that is logged.
        drop(tokio::task::spawn_blocking(move || engine.check_files()).await);
    }
}
