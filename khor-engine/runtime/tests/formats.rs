//! Tests that khor reads the configuration files of released versions and keeps their settings. The
//! name of each file in `fixtures` contains the format and the version. These files never change.

use std::{fs, path::PathBuf};

use khor_config::{Config, ConfigStore};
use serde_json::{Value, json};

/// A configuration file of version 1, in which each setting differs from its default.
const CONFIG_1: &str = include_str!("fixtures/config-1.json");

fn settings() -> Value {
    serde_json::from_str(CONFIG_1).unwrap()
}

fn opened(folder: &tempfile::TempDir) -> (ConfigStore, PathBuf) {
    let path = folder.path().join("config.json");
    fs::write(&path, CONFIG_1).unwrap();
    (ConfigStore::open(path.clone()), path)
}

/// Fails if `found` lacks a setting of `expected` or has another value for it. Later versions may
/// add settings.
fn assert_contains(found: &Value, expected: &Value, path: &str) {
    match expected {
        Value::Object(settings) => settings.iter().for_each(|(key, expected)| {
            let found = found.get(key).unwrap_or_else(|| panic!("{path}/{key} is missing"));
            assert_contains(found, expected, &format!("{path}/{key}"));
        }),
        _ => assert_eq!(found, expected, "{path}"),
    }
}

#[test]
fn config_1_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = opened(&folder);
    assert_eq!(store.warnings(), [] as [String; 0]);
    assert_contains(&serde_json::to_value(store.config()).unwrap(), &settings(), "");
}

#[test]
fn config_1_survives_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, path) = opened(&folder);
    store.update(&Config::change_of("music.bpm", json!(99.0)).unwrap()).unwrap();
    let written = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut expected = settings();
    expected["music"]["bpm"] = json!(99.0);
    assert_contains(&written, &expected, "");
}
