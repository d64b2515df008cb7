//! A copy of the configuration for readers.

use std::{path::PathBuf, sync::Arc};

use khor_config::{Config, ConfigStore};

/// The configuration that readers use. They do not wait for a writer that waits for the disk.
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
