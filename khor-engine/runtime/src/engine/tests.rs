//! Starts real engines for tests, without a sound device, a collector or the user's files.

mod added_lanes;

use std::{path::PathBuf, sync::Arc};

use khor_config::{ConfigPatch, ConfigStore};

use super::{Engine, Supervisor};

/// Starts an engine that reads `/proc` and has no sound device. Returns it with its temporary
/// folder. Must be called within a tokio runtime.
pub(crate) fn quiet_engine() -> (Arc<Engine>, tempfile::TempDir) {
    quiet_engine_of("")
}

/// Like [`quiet_engine`], for a site whose server does not answer. If `site` is empty, the engine
/// plays this machine.
pub(crate) fn quiet_engine_of(site: &str) -> (Arc<Engine>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut flags = ConfigPatch::default();
    (flags.features.audio, flags.features.bpf) = (Some(false), Some(false));
    (flags.site.name, flags.site.nats.url) = (Some(site.to_owned()), Some("nats://127.0.0.1:1".into()));
    let store = ConfigStore::open(dir.path().join("config.json")).with_flags(flags).unwrap();
    let engine =
        Engine::start(store, PathBuf::from("/nonexistent/socket"), None, &Supervisor::default()).unwrap();
    (engine, dir)
}
