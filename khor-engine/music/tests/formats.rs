//! Tests that khor can read presets from released versions and still writes the same bytes. Each
//! file name in `fixtures` contains the format and its version. These files never change.

use khor_music::Preset;
use serde_json::Value;

/// A preset as a user wrote it, with comments and its own mapping.
const PRESET: &str = include_str!("fixtures/preset-1.toml");
/// The preset as khor writes it to a file.
const WRITTEN: &str = include_str!("fixtures/preset-1-written.toml");
/// The preset as the API returns it.
const JSON: &str = include_str!("fixtures/preset-1.json");

fn json() -> Value {
    serde_json::from_str(JSON).unwrap()
}

#[test]
fn preset_file_and_json_are_the_same() {
    let preset = Preset::parse(PRESET).unwrap();
    assert_eq!(Preset::from_json(&json()).as_ref(), Ok(&preset));
    assert_eq!(Preset::parse(WRITTEN).as_ref(), Ok(&preset));
}

#[test]
fn preset_is_written_unchanged() {
    let preset = Preset::parse(PRESET).unwrap();
    assert_eq!(preset.to_toml().unwrap(), WRITTEN);
    assert_eq!(serde_json::to_value(preset.to_text()).unwrap(), json());
}
