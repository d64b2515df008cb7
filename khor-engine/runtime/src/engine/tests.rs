//! An engine for tests: the real one, without a sound device, a collector or a home directory.

mod added_lanes;

use std::{path::PathBuf, sync::Arc};

use serde_json::json;

use super::{Engine, Supervisor};
use crate::config::ConfigStore;

/// It reads `/proc` and plays only for listeners. Must be called within a tokio runtime.
pub(crate) fn quiet_engine() -> (Arc<Engine>, tempfile::TempDir) {
    quiet_engine_of("")
}

/// A quiet engine for a site whose server does not answer. An empty name selects this machine.
pub(crate) fn quiet_engine_of(site: &str) -> (Arc<Engine>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let nats = json!({ "url": "nats://127.0.0.1:1" });
    let overrides =
        json!({ "features": { "audio": false, "bpf": false }, "site": { "name": site, "nats": nats } });
    let store = ConfigStore::open(dir.path().join("config.json")).with_overrides(overrides).unwrap();
    let engine =
        Engine::start(store, PathBuf::from("/nonexistent/socket"), None, &Supervisor::default()).unwrap();
    (engine, dir)
}
