//! A copy of the configuration. Code that reads the configuration uses this copy, so it never waits
//! for the disk.

use std::{path::PathBuf, sync::Arc};

use khor_config::{Config, ConfigStore};

/// A copy of the configuration. A writer locks the store while it waits for the disk. Readers use
/// this copy, so they do not wait for the lock.
pub(super) struct ConfigSnapshot {
    pub(super) config: Config,
    pub(super) path: PathBuf,
    pub(super) warnings: Vec<String>,
}

impl ConfigSnapshot {
    pub(super) fn of(store: &ConfigStore) -> Arc<Self> {
        let (config, path) = (store.config().clone(), store.path().to_owned());
        Arc::new(Self { config, path, warnings: store.warnings() })
    }
}
