//! Keeps the configuration on disk: read once, changed in part, written atomically.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;
use serde_json::Value;
use tracing::warn;

use super::{Config, ConfigError};
use crate::files::write_atomically;

/// `$XDG_CONFIG_HOME/khor/config.json`, or `~/.config/khor/config.json`; `None` without a home.
pub fn default_path() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("khor/config.json"))
}

/// `$XDG_STATE_HOME/khor/baseline.json` for the configuration at its usual place, and beside it for any other:
/// who keeps a configuration apart keeps its machine's memory apart.
pub fn baseline_path(config: &Path) -> PathBuf {
    let usual = default_path().is_some_and(|usual| usual == config);
    let state = etcetera::choose_base_strategy().ok().and_then(|base| base.state_dir());
    match state {
        Some(state) if usual => state.join("khor/baseline.json"),
        _ => config.with_file_name("baseline.json"),
    }
}

/// Where a relay keeps what is ordinary: where systemd says (`StateDirectory=`), else `$XDG_STATE_HOME/khor`.
pub fn relay_baseline_path() -> Option<PathBuf> {
    let state = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from).or_else(|| {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(base.state_dir()?.join("khor"))
    });
    state.map(|state| state.join("relay-baseline.json"))
}

/// `$XDG_DATA_HOME/khor/recordings` for the configuration at its usual place, and beside it for any other.
pub fn recordings_dir(config: &Path) -> PathBuf {
    let usual = default_path().is_some_and(|usual| usual == config);
    match etcetera::choose_base_strategy() {
        Ok(base) if usual => base.data_dir().join("khor/recordings"),
        _ => config.with_file_name("recordings"),
    }
}

/// Where the user's presets are: beside the configuration.
pub fn presets_dir(config: &Path) -> PathBuf {
    config.with_file_name("presets")
}

/// The configuration and the file it lives in. Keys this version doesn't know stay in the file. The command
/// line lies over the file, is never written to it, and each of its keys holds until somebody changes it.
#[derive(Debug)]
pub struct ConfigStore {
    path: PathBuf,
    document: Value,
    overrides: Value,
    config: Config,
    warnings: Vec<String>,
    /// The document differs from the file.
    unwritten: bool,
}

/// A change that was checked and not made yet.
struct Draft {
    document: Value,
    overrides: Value,
    config: Config,
    warnings: Vec<String>,
}

/// What a change did.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The configuration after it.
    pub config: Config,
    /// A changed key acts only after a restart.
    pub restart_required: bool,
}

/// Why a change was refused.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The change itself is wrong; nothing was changed.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
    /// Somebody else was quicker; nothing was changed.
    #[error("the settings were changed elsewhere: read them again, then change them")]
    Changed,
    /// The change could not be written; nothing was changed.
    #[error("writing {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl ConfigStore {
    /// Reads the file. A missing file means the defaults; a broken one is kept as `….bad`, warned about, and
    /// the defaults are used: a configuration never stops the sound.
    pub fn open(path: PathBuf) -> Self {
        let mut warnings = Vec::new();
        let document = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string()) {
                Ok(document) => document,
                Err(problem) => set_aside(&path, &problem, &mut warnings),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => empty(),
            Err(error) => set_aside(&path, &error.to_string(), &mut warnings),
        };
        let (config, document) = match parse(&document) {
            Ok((config, unknown)) => {
                warnings.extend(unknown.iter().map(|key| unknown_key(key)));
                (config, document)
            }
            Err(error) => {
                let document = set_aside(&path, &error.to_string(), &mut warnings);
                (Config::default(), document)
            }
        };
        for warning in &warnings {
            warn!("configuration: {warning}");
        }
        Self { path, document, overrides: empty(), config, warnings, unwritten: false }
    }

    /// The settings in a file and what is odd about it, for who only wants to know: it is left as it is. `None` where there is
    /// none.
    ///
    /// # Errors
    ///
    /// Why it can't be used at all.
    pub fn peek(path: &Path) -> Result<Option<(Config, Vec<String>)>, String> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let document = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let (config, unknown) = parse(&document).map_err(|error| error.to_string())?;
        Ok(Some((config, unknown.iter().map(|key| unknown_key(key)).collect())))
    }

    /// Lays `overrides` (any part of the configuration) over the file, for this run only.
    pub fn with_overrides(mut self, overrides: Value) -> Result<Self, ConfigError> {
        self.config = effective(&self.document, &overrides)?;
        self.overrides = overrides;
        Ok(self)
    }

    /// The configuration now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was odd about the file when it was read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Merges `change` (any part of the configuration, RFC 7396 without deletion), checks the whole, writes
    /// it and keeps it. On any error nothing changes.
    pub fn update(&mut self, change: &Value) -> Result<Update, UpdateError> {
        let draft = self.draft(change)?;
        self.write(&draft.document)?;
        self.unwritten = false;
        Ok(self.make(draft))
    }

    /// Like [`Self::update`], but the file waits for [`Self::keep`]: for a fader that moves.
    pub fn adjust(&mut self, change: &Value) -> Result<Update, ConfigError> {
        let draft = self.draft(change)?;
        self.unwritten |= draft.document != self.document;
        Ok(self.make(draft))
    }

    /// Writes what was only adjusted. On an error it stays to be written.
    pub fn keep(&mut self) -> Result<(), UpdateError> {
        if self.unwritten {
            self.write(&self.document)?;
            self.unwritten = false;
        }
        Ok(())
    }

    fn draft(&self, change: &Value) -> Result<Draft, ConfigError> {
        if !change.is_object() {
            return Err(ConfigError { field: "body".into(), problem: "expected a JSON object".into() });
        }
        // Who sends back what the command line says has not decided anything.
        let mut change = change.clone();
        drop_echoes(&mut change, &self.overrides);
        // The document may lack keys that have defaults; the file is written whole.
        let mut document = self.document.clone();
        merge(&mut document, &serde_json::to_value(parse(&self.document)?.0).unwrap_or_default());
        check_shape(&document, &change, "")?;
        merge(&mut document, &change);
        let (_, unknown) = parse(&document)?;
        let mut overrides = self.overrides.clone();
        forget(&mut overrides, &change);
        let config = effective(&document, &overrides)?;
        Ok(Draft {
            document,
            overrides,
            config,
            warnings: unknown.iter().map(|key| unknown_key(key)).collect(),
        })
    }

    fn make(&mut self, draft: Draft) -> Update {
        let Draft { document, overrides, config, warnings } = draft;
        let restart_required = config.listen != self.config.listen || config.ui != self.config.ui;
        (self.document, self.overrides, self.warnings) = (document, overrides, warnings);
        self.config = config.clone();
        Update { config, restart_required }
    }

    fn write(&self, document: &Value) -> Result<(), UpdateError> {
        let attempt = || -> io::Result<()> {
            let mut text = serde_json::to_vec_pretty(document)?;
            text.push(b'\n');
            write_atomically(&self.path, &text)
        };
        attempt().map_err(|cause| UpdateError::Write { path: self.path.clone(), cause })
    }
}

/// Types, then ranges; also names the keys this version doesn't know.
fn parse(document: &Value) -> Result<(Config, Vec<String>), ConfigError> {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(document, &mut track);
    let parsed =
        serde_ignored::deserialize::<_, _, Config>(deserializer, |path| unknown.push(path.to_string()));
    let config = parsed
        .map_err(|error| ConfigError { field: track.path().to_string(), problem: error.to_string() })?;
    config.validate()?;
    Ok((config, unknown))
}

/// Keeps a broken file under another name and starts from the defaults.
fn set_aside(path: &Path, problem: &str, warnings: &mut Vec<String>) -> Value {
    let mut bad = path.as_os_str().to_owned();
    bad.push(".bad");
    let kept = match fs::rename(path, &bad) {
        Ok(()) => format!("it is kept as {}", Path::new(&bad).display()),
        Err(error) => format!("it stays as it is ({error})"),
    };
    warnings.push(format!("{}: {problem}; {kept} and the defaults are used", path.display()));
    empty()
}

/// The file with the command line laid over it.
fn effective(document: &Value, overrides: &Value) -> Result<Config, ConfigError> {
    let mut document = document.clone();
    merge(&mut document, overrides);
    Ok(parse(&document)?.0)
}

/// Takes every key out of `overrides` that `change` sets.
fn forget(overrides: &mut Value, change: &Value) {
    let (Value::Object(overrides), Value::Object(change)) = (overrides, change) else { return };
    overrides.retain(|key, held| match change.get(key) {
        Some(change) if held.is_object() && change.is_object() => {
            forget(held, change);
            true
        }
        Some(_) => false,
        None => true,
    });
}

/// Takes every key out of `change` that says just what `overrides` says.
fn drop_echoes(change: &mut Value, overrides: &Value) {
    let (Value::Object(change), Value::Object(overrides)) = (change, overrides) else { return };
    change.retain(|key, wanted| match overrides.get(key) {
        Some(held) if held.is_object() && wanted.is_object() => {
            drop_echoes(wanted, held);
            true
        }
        held => held != Some(wanted),
    });
}

fn unknown_key(key: &str) -> String {
    format!("{key} is not a key khor knows; it is kept")
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Where there is an object only an object may come: serde would take a list for one, and leave out what it lacks.
fn check_shape(held: &Value, change: &Value, path: &str) -> Result<(), ConfigError> {
    let Value::Object(held) = held else { return Ok(()) };
    let Value::Object(change) = change else {
        return Err(ConfigError { field: path.to_owned(), problem: "expected a JSON object".into() });
    };
    change.iter().filter_map(|(key, change)| Some((key, held.get(key)?, change))).try_for_each(
        |(key, held, change)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            check_shape(held, change, &path)
        },
    )
}

/// Objects merge key by key; anything else replaces.
fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
    fn a_change_survives_reopening_and_keeps_unknown_keys() {
        let (_dir, mut store) = store(Some(r#"{"music": {"bpm": 90}, "theirs": {"x": 1}}"#));
        assert_eq!(store.config().music.bpm, 90.0);
        assert_eq!(store.warnings(), ["theirs is not a key khor knows; it is kept"]);
        let update = store.update(&json!({"music": {"density": 0.25}})).unwrap();
        assert!(!update.restart_required);
        let reopened = ConfigStore::open(store.path().to_owned());
        assert_eq!((reopened.config().music.bpm, reopened.config().music.density), (90.0, 0.25));
        assert_eq!(reopened.document["theirs"]["x"], 1);
    }

    #[test]
    fn a_wrong_type_or_range_names_the_field_and_changes_nothing() {
        let (_dir, mut store) = store(None);
        let error = store.update(&json!({"music": {"bpm": "fast"}})).unwrap_err().to_string();
        assert!(error.starts_with("music.bpm: invalid type: string \"fast\""), "{error}");
        let error = store.update(&json!({"audio": {"master_gain": 1.5}})).unwrap_err().to_string();
        assert_eq!(error, "audio.master_gain: 1.5 is not allowed, expected 0 to 1");
        let error = store.update(&json!({"music": {"scale": "blues"}})).unwrap_err().to_string();
        assert!(error.contains("music.scale") && error.contains("dorian"), "{error}");
        assert_eq!(*store.config(), Config::default());
        assert!(!store.path().exists(), "nothing was written");
    }

    #[test]
    fn a_misspelt_key_is_warned_about_at_once() {
        let (_dir, mut store) = store(None);
        store.update(&json!({"music": {"bmp": 90}})).unwrap();
        assert_eq!(store.warnings(), ["music.bmp is not a key khor knows; it is kept"]);
    }

    #[test]
    fn a_broken_file_is_set_aside() {
        let (_dir, mut store) = store(Some("{\"music\": {"));
        assert_eq!(*store.config(), Config::default());
        assert!(store.path().with_file_name("config.json.bad").exists());
        assert!(store.warnings()[0].contains("config.json.bad"), "{:?}", store.warnings());
        store.update(&json!({})).unwrap();
        assert!(ConfigStore::open(store.path().to_owned()).warnings().is_empty());
    }

    #[test]
    fn a_file_that_is_nested_without_end_is_set_aside() {
        for open in ["[", "{\"a\":", "{\"music\":{\"bpm\":["] {
            let (_dir, store) = store(Some(&open.repeat(100_000)));
            assert_eq!(*store.config(), Config::default());
            assert!(store.warnings()[0].contains("config.json.bad"), "{:?}", store.warnings());
        }
    }

    #[test]
    fn the_command_line_holds_until_its_key_is_changed_and_is_never_written() {
        let (_dir, store) = store(Some(r#"{"features": {"osc": false}}"#));
        let overrides = json!({"features": {"fake": true, "osc": true}});
        let mut store = store.with_overrides(overrides).unwrap();
        assert!(store.config().features.fake && store.config().features.osc);
        store.update(&json!({"features": {"osc": false}})).unwrap();
        assert!(store.config().features.fake && !store.config().features.osc);
        assert!(!ConfigStore::open(store.path().to_owned()).config().features.fake);
        let whole = serde_json::to_value(store.config()).unwrap();
        store.update(&whole).unwrap();
        assert!(store.config().features.fake, "an echo decides nothing");
        assert!(!ConfigStore::open(store.path().to_owned()).config().features.fake);
    }

    #[test]
    fn what_is_adjusted_holds_at_once_and_is_written_when_it_is_kept() {
        let (_dir, mut store) = store(None);
        store.adjust(&json!({"music": {"bpm": 90}})).unwrap();
        assert!(store.adjust(&json!({"music": {"bpm": 10}})).is_err());
        assert_eq!(store.config().music.bpm, 90.0);
        assert!(!store.path().exists());
        store.keep().unwrap();
        assert_eq!(ConfigStore::open(store.path().to_owned()).config().music.bpm, 90.0);
        fs::remove_file(store.path()).unwrap();
        store.keep().unwrap();
        assert!(!store.path().exists(), "nothing was new");
    }

    #[test]
    fn listening_elsewhere_needs_a_restart() {
        let (_dir, mut store) = store(None);
        assert!(store.update(&json!({"listen": {"port": 18000}})).unwrap().restart_required);
    }

    #[test]
    fn an_unwritable_place_is_an_error_and_not_a_change() {
        let mut store = ConfigStore::open(PathBuf::from("/proc/khor/config.json"));
        let error = store.update(&json!({"music": {"bpm": 60}})).unwrap_err().to_string();
        assert!(error.starts_with("writing /proc/khor/config.json: "), "{error}");
        assert_eq!(store.config().music.bpm, 110.0);
    }
}
