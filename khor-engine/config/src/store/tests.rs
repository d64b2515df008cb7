//! Tests the store with real files.

use std::fs;

use nix::{sys::stat::Mode, unistd::mkfifo};
use serde_json::json;

use super::{file::MAX_BYTES, *};

impl ConfigStore {
    fn set(&mut self, change: &Value) -> Result<ConfigUpdate, UpdateError> {
        self.refresh();
        let change = self.read_change(change)?;
        self.update(&change)
    }

    fn move_fader(&mut self, change: &Value) -> Result<ConfigUpdate, ConfigError> {
        let change = self.read_change(change)?;
        self.adjust(&change)
    }
}

fn store(content: Option<&str>) -> (tempfile::TempDir, ConfigStore) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("khor/config.json");
    if let Some(content) = content {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
    }
    let store = ConfigStore::open(path);
    (dir, store)
}

#[test]
fn changes_survive_reopening() {
    let (_dir, mut store) = store(Some(r#"{"music": {"bpm": 90}, "theirs": {"x": 1}}"#));
    assert_eq!(store.config().music.bpm, 90.0);
    assert_eq!(store.warnings(), ["khor does not know the key theirs; it stays in the file"]);
    let update = store.set(&json!({"music": {"density": 0.25}})).unwrap();
    assert!(!update.restart_required);
    let reopened = ConfigStore::open(store.path().to_owned());
    assert_eq!((reopened.config().music.bpm, reopened.config().music.density), (90.0, 0.25));
    assert_eq!(reopened.document["theirs"]["x"], 1);
}

#[test]
fn invalid_changes_name_their_field() {
    let (_dir, mut store) = store(None);
    let error = store.set(&json!({"music": {"bpm": "fast"}})).unwrap_err().to_string();
    assert_eq!(error, "music.bpm: \"fast\" is not allowed, expected a number from 20 to 300");
    let error = store.set(&json!({"audio": {"master_gain": 1.5}})).unwrap_err().to_string();
    assert_eq!(error, "audio.master_gain: 1.5 is not allowed, expected 0 to 1");
    let error = store.set(&json!({"music": {"scale": "blues"}})).unwrap_err().to_string();
    assert!(error.contains("music.scale") && error.contains("dorian"), "{error}");
    assert_eq!(*store.config(), Config::default());
    assert!(!store.path().exists(), "a rejected change must not write the file");
}

#[test]
fn unknown_keys_are_rejected_unless_echoed() {
    let (_dir, mut store) = store(Some(r#"{"theirs": {"x": 1}}"#));
    let error = store.set(&json!({"music": {"bmp": 90, "bpm": 90}})).unwrap_err().to_string();
    assert!(error.starts_with("music.bmp: khor does not know this key"), "{error}");
    assert!(store.move_fader(&json!({"new": {}})).is_err());
    assert!(store.set(&json!({"theirs": {"x": 2}})).is_err());
    assert_eq!(store.config().music.bpm, 110.0);
    let mut whole = serde_json::to_value(store.config()).unwrap();
    whole["theirs"] = json!({"x": 1});
    whole["music"]["bpm"] = json!(90);
    store.set(&whole).unwrap();
    let reopened = ConfigStore::open(store.path().to_owned());
    assert_eq!((reopened.config().music.bpm, &reopened.document["theirs"]["x"]), (90.0, &json!(1)));
}

#[test]
fn warnings_about_keys_are_bounded() {
    let unknown = (0..5000).map(|i| format!("\"k{i}\": 1, ")).collect::<Vec<_>>().concat();
    let wrong = "{\"music\": {\"bpm\": 1, \"key_midi\": -1, \"density\": 2, \"smoothing\": 2, \"seed\": -1, \
                 \"scale\": 1}, \"audio\": {\"backend\": 1, \"master_gain\": 2, \"sample_rate\": 1, \"device\": 1}";
    let (_dir, mut store) = store(Some(&format!("{wrong}, {unknown}\"last\": 1}}")));
    let warnings = store.warnings();
    assert_eq!(warnings.len(), NAMED_PROBLEMS + 2, "{warnings:?}");
    assert_eq!(warnings[NAMED_PROBLEMS], "2 more invalid settings");
    assert!(warnings[NAMED_PROBLEMS + 1].contains(" 5001 keys"), "{warnings:?}");
    assert!(warnings.iter().all(|warning| warning.chars().count() < 600), "{warnings:?}");
    assert_eq!(store.logged, warnings);
    store.set(&json!({"music": {"bpm": 90}})).unwrap();
    let reopened = ConfigStore::open(store.path().to_owned());
    assert_eq!((reopened.config().music.bpm, &reopened.document["k4999"]), (90.0, &json!(1)));
}

#[test]
fn oversized_files_are_neither_read_nor_written() {
    let long = "x".repeat(MAX_BYTES);
    let (_dir, mut store) = store(Some(&format!("{{\"theirs\": \"{long}\"}}")));
    assert!(store.warnings()[0].contains("it is larger than 262144 bytes"), "{:?}", store.warnings());
    assert!(store.listen_error().is_some(), "the section listen may require a token");
    let before = fs::metadata(store.path()).unwrap().len();
    assert!(store.set(&json!({"music": {"bpm": 90}})).unwrap().not_saved.is_some());
    assert_eq!(fs::metadata(store.path()).unwrap().len(), before);

    // On one line, the text of this list is below the size limit. With indentation, the text
    // exceeds the limit.
    let list = format!("[{}0]", "0,".repeat(100_000));
    fs::write(store.path(), format!("{{\"theirs\": {list}}}")).unwrap();
    assert_eq!(store.set(&json!({"music": {"bpm": 91}})).unwrap().not_saved, None);
    let reopened = ConfigStore::open(store.path().to_owned());
    assert_eq!(reopened.config().music.bpm, 91.0);
    assert_eq!(reopened.document["theirs"].as_array().map(Vec::len), Some(100_001));

    fs::write(store.path(), format!("{{\"theirs\": \"{}\"}}", "x".repeat(MAX_BYTES - 200))).unwrap();
    let why = store.set(&json!({"music": {"bpm": 92}})).unwrap().not_saved.unwrap();
    assert!(why.contains("it would be larger than 262144 bytes"), "{why}");
}

#[test]
fn the_longest_settings_fit_into_the_file() {
    let mut config = Config::default();
    let path = Some(PathBuf::from(format!("/{}", "p".repeat(4095))));
    (config.listen.token_file, config.ui.dir) = (path.clone(), path.clone());
    let nats = &mut config.site.nats;
    for file in [&mut nats.creds, &mut nats.nkey, &mut nats.tls_ca, &mut nats.tls_cert, &mut nats.tls_key] {
        file.clone_from(&path);
    }
    config.bpf.cgroup = format!("/{}", "c".repeat(4095));
    config.osc.targets = vec![format!("{}:65535", "h".repeat(255)); 8];
    config.listen.allowed_hosts = vec!["h".repeat(255); 16];
    assert_eq!(config.validate(), Ok(()));
    let text = text(&serde_json::to_value(&config).unwrap()).unwrap();
    assert!(text.len() < MAX_BYTES / 3, "{}", text.len());
}

#[test]
fn invalid_files_are_backed_up() {
    let (dir, mut store) = store(Some("{\"music\": {"));
    assert_eq!(*store.config(), Config::default());
    assert!(store.warnings()[0].contains("the defaults are used"), "{:?}", store.warnings());
    assert_eq!(fs::read_to_string(store.path()).unwrap(), "{\"music\": {");
    store.set(&json!({"music": {"bpm": 90}})).unwrap();
    assert!(store.warnings().is_empty(), "{:?}", store.warnings());
    let backup = |name: &str| fs::read_to_string(dir.path().join("khor").join(name)).unwrap();
    assert_eq!(backup("config.json.bad"), "{\"music\": {");
    fs::write(store.path(), "{\"audio\": 5}").unwrap();
    store.set(&json!({"music": {"density": 0.5}})).unwrap();
    assert_eq!(
        (backup("config.json.bad"), backup("config.json.bad.2")),
        ("{\"music\": {".into(), "{\"audio\": 5}".into())
    );
    let reopened = ConfigStore::open(store.path().to_owned());
    let music = &reopened.config().music;
    assert_eq!((music.bpm, music.density), (110.0, 0.5), "the edit removes the tempo, so it is the default");
}

#[test]
fn deeply_nested_json_is_rejected() {
    for open in ["[", "{\"a\":", "{\"music\":{\"bpm\":["] {
        let (_dir, store) = store(Some(&open.repeat(100_000)));
        assert_eq!(*store.config(), Config::default());
        assert!(store.listen_error().is_some(), "{open}");
    }
}

#[test]
fn an_unreadable_listen_section_is_an_error() {
    let listen_error = |text: &str| store(Some(text)).1.listen_error().map(str::to_owned);
    for valid in ["{}", r#"{"music": 5, "listen": {"token_file": "/t"}}"#, "\u{feff}{}"] {
        assert_eq!(listen_error(valid), None, "{valid}");
    }
    for invalid in [
        "{",
        "[]",
        "5",
        r#"{"listen": []}"#,
        r#"{"listen": {"token_file": 5}}"#,
        r#"{"listen": {"port": "x", "token_file": "/t"}}"#,
        r#"{"listen": {"tokenfile": "/t"}}"#,
    ] {
        assert!(listen_error(invalid).is_some(), "{invalid}");
    }
    let (_dir, mut store) = store(None);
    let error = store.set(&json!({"listen": {"tokenfile": "/t"}})).unwrap_err().to_string();
    assert!(error.starts_with("listen.tokenfile: khor does not know this key"), "{error}");
}

#[test]
fn an_invalid_setting_leaves_the_others() {
    let (_dir, store) =
        store(Some(r#"{"music": {"bpm": "96", "density": 0.25}, "listen": {"token_file": "/t"}}"#));
    assert_eq!((store.config().music.bpm, store.config().music.density), (110.0, 0.25));
    assert_eq!(store.config().listen.token_file, Some("/t".into()));
    assert!(store.warnings()[0].starts_with("music.bpm: \"96\" is not allowed"), "{:?}", store.warnings());
}

#[test]
fn file_edits_and_changes_are_merged() {
    let (_dir, mut store) = store(Some(r#"{"music": {"bpm": 90}}"#));
    fs::write(store.path(), r#"{"music": {"bpm": 70}, "theirs": 1}"#).unwrap();
    store.set(&json!({"music": {"density": 0.25}})).unwrap();
    let reopened = ConfigStore::open(store.path().to_owned());
    assert_eq!((reopened.config().music.bpm, reopened.config().music.density), (70.0, 0.25));
    assert_eq!(reopened.document["theirs"], 1);

    store.move_fader(&json!({"music": {"density": 0.75}})).unwrap();
    fs::write(store.path(), r#"{"music": {"bpm": 60}}"#).unwrap();
    assert!(store.refresh() && !store.refresh());
    assert_eq!((store.config().music.bpm, store.config().music.density), (60.0, 0.75));
    store.save().unwrap();
    let reopened = ConfigStore::open(store.path().to_owned());
    assert_eq!((reopened.config().music.bpm, reopened.config().music.density), (60.0, 0.75));
}

#[test]
fn an_invalid_edit_leaves_the_previous_settings() {
    let (_dir, mut store) = store(Some(r#"{"music": {"bpm": 90}}"#));
    for slip in ["{\"music\":", r#"{"music": {"bpm": "fast"}}"#] {
        fs::write(store.path(), slip).unwrap();
        assert!(store.refresh());
        assert_eq!(store.config().music.bpm, 90.0, "{slip}");
        assert!(store.warnings()[0].contains("stay"), "{:?}", store.warnings());
    }
    fs::write(store.path(), r#"{"music": {"bpm": 91}}"#).unwrap();
    assert!(store.refresh() && store.warnings().is_empty());
    assert_eq!(store.config().music.bpm, 91.0);
    fs::remove_file(store.path()).unwrap();
    assert!(!store.refresh());
    store.set(&json!({})).unwrap();
    assert_eq!(ConfigStore::open(store.path().to_owned()).config().music.bpm, 91.0);
}

#[test]
fn an_unreadable_file_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let mut store = ConfigStore::open(path.clone());
    assert!(store.listen_error().unwrap().contains("it is a FIFO"), "{:?}", store.listen_error());
    let update = store.set(&json!({"music": {"bpm": 90}})).unwrap();
    assert_eq!(update.config.music.bpm, 90.0);
    assert!(update.not_saved.unwrap().contains("khor does not overwrite it"));
    let entries: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries, std::slice::from_ref(&path));
    fs::remove_file(&path).unwrap();
    fs::write(&path, r#"{"music": {"density": 0.25}}"#).unwrap();
    store.save().unwrap();
    let reopened = ConfigStore::open(path);
    assert_eq!((reopened.config().music.bpm, reopened.config().music.density), (90.0, 0.25));
}

#[test]
fn command_line_flags_are_never_written() {
    let (_dir, store) = store(Some(r#"{"features": {"osc": false}}"#));
    let flags = store.read_change(&json!({"features": {"fake": true, "osc": true}})).unwrap();
    let mut store = store.with_flags(flags).unwrap();
    assert!(store.config().features.fake && store.config().features.osc);
    store.set(&json!({"features": {"osc": false}})).unwrap();
    assert!(store.config().features.fake && !store.config().features.osc);
    assert!(!ConfigStore::open(store.path().to_owned()).config().features.fake);
    let whole = serde_json::to_value(store.config()).unwrap();
    store.set(&whole).unwrap();
    assert!(store.config().features.fake, "sending back the whole configuration must keep the flags");
    assert!(!ConfigStore::open(store.path().to_owned()).config().features.fake);
}

#[test]
fn adjustments_apply_at_once_and_save_later() {
    let (_dir, mut store) = store(None);
    store.move_fader(&json!({"music": {"bpm": 90}})).unwrap();
    assert!(store.move_fader(&json!({"music": {"bpm": 10}})).is_err());
    assert_eq!(store.config().music.bpm, 90.0);
    assert!(!store.path().exists());
    store.save().unwrap();
    assert_eq!(ConfigStore::open(store.path().to_owned()).config().music.bpm, 90.0);
    fs::remove_file(store.path()).unwrap();
    store.save().unwrap();
    assert!(!store.path().exists(), "without changes, save must not write the file");
}

#[test]
fn another_port_needs_a_restart() {
    let (_dir, mut store) = store(None);
    assert!(store.set(&json!({"listen": {"port": 18000}})).unwrap().restart_required);
}

#[test]
fn unsaved_changes_last_until_the_end() {
    let mut store = ConfigStore::open(PathBuf::from("/proc/khor/config.json"));
    let update = store.set(&json!({"music": {"bpm": 60}})).unwrap();
    let why = update.not_saved.unwrap();
    assert!(why.starts_with("cannot write /proc/khor/config.json: "), "{why}");
    assert_eq!(store.config().music.bpm, 60.0);
    assert!(store.warnings()[0].contains("last until khor ends"), "{:?}", store.warnings());
    assert!(store.save().is_err(), "the next save must try to write again");
}

/// The test file has an unusual order of keys, unknown keys, and unusual notations of numbers.
#[test]
fn changes_keep_the_order_of_keys() {
    let (_dir, mut store) = store(Some(
        r#"{"theirs": 1, "music": {"smoothing": 5e-1, "mine": [1, 2], "bpm": 90}, "audio": {}, "version": 1}"#,
    ));
    store.set(&json!({"music": {"density": 0.1}, "audio": {"master_gain": 0.3}})).unwrap();
    let text = fs::read_to_string(store.path()).unwrap();
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let begin =
        r#"{"theirs":1,"music":{"smoothing":0.5,"mine":[1,2],"bpm":90,"key_midi":50,"scale":"dorian","#;
    assert!(compact.starts_with(begin), "{compact}");
    let audio = r#""audio":{"backend":"","device":"","sample_rate":48000,"master_gain":0.3,"#;
    assert!(compact.contains(audio), "{compact}");
    let positions = ["theirs", "music", "audio", "version", "listen", "ui", "site"]
        .map(|key| compact.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}: {compact}")));
    assert!(
        positions.is_sorted(),
        "missing sections must follow in the order of their definitions: {compact}"
    );
    assert!(compact.contains(r#""density":0.1,"#), "{compact}");
    let before = text;
    store.set(&json!({"music": {"density": 0.2}})).unwrap();
    let after = fs::read_to_string(store.path()).unwrap();
    let changed = before.lines().zip(after.lines()).filter(|(one, other)| one != other).count();
    assert_eq!((changed, before.lines().count()), (1, after.lines().count()), "only one line must change");
}
