//! Keeps the configuration on disk. Applies changes that khor makes and edits that the user makes
//! in the file.

use std::{
    io,
    path::{Path, PathBuf},
};

use khor_proto::inert;
use serde_json::Value;
use tracing::{info, warn};

use super::{
    Config, ConfigError,
    merge::{check_shape, drop_changed, drop_echoes, empty, merge},
    recover::{Recovered, parse, recover},
};
use crate::files::{self, Stamp};

#[cfg(test)]
mod tests;

/// Largest configuration file that is read, bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// The configuration and its file. Unknown keys stay in the file. Command-line flags override the
/// file and are never written to it; each flag holds until somebody changes its setting.
#[derive(Debug)]
pub struct ConfigStore {
    path: PathBuf,
    document: Value,
    overrides: Value,
    config: Config,
    file_warnings: Vec<String>,
    file: FileState,
    /// Changes that are not in the file yet.
    unsaved: Value,
    /// Why the last write failed.
    save_error: Option<String>,
    listen_error: Option<String>,
}

/// State of the file.
#[derive(Debug, Default)]
struct FileState {
    /// Stamp at the last read or write; `None` if there was no file.
    stamp: Option<Stamp>,
    /// Why the file could not be read. Then it is not written either, because that would destroy
    /// its content.
    read_error: Option<String>,
    /// The file has invalid settings or is not JSON, so it is backed up before it is overwritten.
    invalid: bool,
}

/// Content of the file.
enum Content {
    Missing,
    Json(Value),
    /// Not JSON; the error.
    Invalid(String),
    /// The error.
    Unreadable(String),
}

/// A configuration file as read by [`ConfigStore::inspect`].
#[derive(Debug)]
pub struct Inspected {
    /// The valid settings of the file, and defaults for the others.
    pub config: Config,
    /// The invalid settings, each with its error.
    pub problems: Vec<String>,
    /// The unknown keys, each as a sentence.
    pub unknown_keys: Vec<String>,
    /// Why an engine would not serve its API: see [`ConfigStore::listen_error`].
    pub listen_error: Option<String>,
}

/// A change that has been checked but not applied.
struct Draft {
    document: Value,
    overrides: Value,
    config: Config,
    unknown_keys: Vec<String>,
}

/// Result of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The new configuration.
    pub config: Config,
    /// A changed setting takes effect only after a restart.
    pub restart_required: bool,
    /// Why the change is not in the file. It then lasts until khor ends.
    pub not_saved: Option<String>,
}

/// Why a change was rejected. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The change is invalid.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
    /// Another client has changed the configuration.
    #[error("the settings were changed elsewhere: read them again, then change them")]
    Changed,
}

/// The changes could not be written to the file. They last until khor ends.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotSaved(String);

impl ConfigStore {
    /// Reads the file and leaves it unchanged. Uses defaults for a missing file and for invalid
    /// settings, with a warning: a bad configuration never stops the sound. It can stop the API,
    /// see [`Self::listen_error`].
    pub fn open(path: PathBuf) -> Self {
        let mut store = Self {
            path,
            document: empty(),
            overrides: empty(),
            config: Config::default(),
            file_warnings: Vec::new(),
            file: FileState::default(),
            unsaved: empty(),
            save_error: None,
            listen_error: None,
        };
        store.file.stamp = Stamp::of(&store.path).unwrap_or_default();
        match read(&store.path) {
            Content::Missing => {}
            Content::Json(document) => {
                let recovered = recover(document, &empty());
                store.listen_error = listen_error(&recovered);
                store.accept(recovered, "the default is used");
            }
            Content::Invalid(error) => {
                store.file_warnings = vec![format!("{error}; the defaults are used")];
                store.file.invalid = true;
                store.listen_error = Some(error);
            }
            Content::Unreadable(error) => {
                store.file_warnings =
                    vec![format!("{error}; the defaults are used, and changes are not saved")];
                store.listen_error = Some(error.clone());
                store.file.read_error = Some(error);
            }
        }
        store.log_warnings();
        store
    }

    /// Reads a file without opening a store; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or it is not JSON.
    pub fn inspect(path: &Path) -> Result<Option<Inspected>, String> {
        let document = match read(path) {
            Content::Missing => return Ok(None),
            Content::Json(document) => document,
            Content::Invalid(error) | Content::Unreadable(error) => return Err(error),
        };
        let recovered = recover(document, &empty());
        let listen_error = listen_error(&recovered);
        let Recovered { config, problems, unknown_keys, .. } = recovered;
        let problems = problems.iter().map(ToString::to_string).collect();
        let unknown_keys = unknown_keys.iter().map(|key| unknown_key(key)).collect();
        Ok(Some(Inspected { config, problems, unknown_keys, listen_error }))
    }

    /// Overrides the file by `overrides` (any part of the configuration) until khor ends.
    pub fn with_overrides(mut self, overrides: Value) -> Result<Self, ConfigError> {
        self.config = effective(&self.document, &overrides)?;
        self.overrides = overrides;
        Ok(self)
    }

    /// The current configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Problems with the file, and the error of the last write.
    pub fn warnings(&self) -> Vec<String> {
        self.file_warnings.iter().chain(&self.save_error).cloned().collect()
    }

    /// Why the section `listen` could not be read at the start. The engine must not serve its API
    /// then: the section may require a token. Later changes of the file do not change this value.
    pub fn listen_error(&self) -> Option<&str> {
        self.listen_error.as_deref()
    }

    /// Reads the file again if another program has changed it. Keeps changes that are not saved
    /// yet. Returns whether the configuration or the warnings may have changed.
    pub fn refresh(&mut self) -> bool {
        // While the file system does not answer, the file counts as unchanged.
        let Ok(stamp) = Stamp::of(&self.path) else { return false };
        if stamp == self.file.stamp {
            return false;
        }
        self.file = FileState { stamp, ..FileState::default() };
        match read(&self.path) {
            // The configuration stays. The next change writes the file.
            Content::Missing => return false,
            Content::Json(document) => self.reload(document),
            Content::Invalid(error) => {
                self.file_warnings = vec![format!("{error}; the previous settings stay")];
                self.file.invalid = true;
            }
            Content::Unreadable(error) => {
                self.file_warnings =
                    vec![format!("{error}; the previous settings stay, changes are not saved")];
                self.file.read_error = Some(error);
            }
        }
        info!("{} was changed by another program", self.path.display());
        self.log_warnings();
        true
    }

    fn reload(&mut self, document: Value) {
        let mut recovered = recover(document, &self.document);
        let mut with_unsaved = recovered.document.clone();
        merge(&mut with_unsaved, &self.unsaved);
        if effective(&with_unsaved, &self.overrides).is_ok() {
            recovered.document = with_unsaved;
        } else {
            // The edit conflicts with the unsaved changes and is newer.
            self.unsaved = empty();
        }
        match effective(&recovered.document, &self.overrides) {
            Ok(config) => {
                recovered.config = config;
                self.accept(recovered, "the previous value stays");
            }
            Err(error) => {
                self.file_warnings =
                    vec![format!("{error}, together with the command line; the previous settings stay")];
                self.file.invalid = true;
            }
        }
    }

    fn accept(&mut self, recovered: Recovered, fallback: &str) {
        let Recovered { config, document, problems, unknown_keys } = recovered;
        self.file.invalid = !problems.is_empty();
        self.file_warnings = problems.iter().map(|problem| format!("{problem}; {fallback}")).collect();
        self.file_warnings.extend(unknown_keys.iter().map(|key| unknown_key(key)));
        (self.config, self.document) = (config, document);
    }

    fn log_warnings(&self) {
        for warning in &self.file_warnings {
            warn!("configuration: {warning}");
        }
    }

    /// Merges `change` (any part of the configuration, RFC 7396 without deletion) into the
    /// configuration and writes the file. If the write fails, the change lasts until khor ends.
    ///
    /// # Errors
    ///
    /// The change is invalid; nothing was changed.
    pub fn update(&mut self, change: &Value) -> Result<Update, UpdateError> {
        self.refresh();
        let draft = self.draft(change)?;
        let update = self.apply(draft, change);
        let not_saved = self.write().err().map(|NotSaved(error)| error);
        Ok(Update { not_saved, ..update })
    }

    /// Like [`Self::update`], but does not write the file until [`Self::keep`]. For a fader that
    /// moves.
    pub fn adjust(&mut self, change: &Value) -> Result<Update, ConfigError> {
        let draft = self.draft(change)?;
        Ok(self.apply(draft, change))
    }

    /// Writes the unsaved changes.
    ///
    /// # Errors
    ///
    /// The write failed. The changes stay unsaved, and the next call tries again.
    pub fn keep(&mut self) -> Result<(), NotSaved> {
        self.refresh();
        if self.unsaved == empty() { Ok(()) } else { self.write() }
    }

    fn draft(&self, change: &Value) -> Result<Draft, ConfigError> {
        if !change.is_object() {
            return Err(ConfigError { field: "body".into(), problem: "expected a JSON object".into() });
        }
        // A client that sends back a value from the command line has not changed it.
        let mut change = change.clone();
        drop_echoes(&mut change, &self.overrides);
        // The file is written with all settings, including those that have defaults.
        let mut document = self.document.clone();
        merge(&mut document, &serde_json::to_value(parse(&self.document)?.0).unwrap_or_default());
        check_shape(&document, &change, "")?;
        merge(&mut document, &change);
        let (_, unknown_keys) = parse(&document)?;
        reject_unknown_listen_keys(&unknown_keys, &change)?;
        let mut overrides = self.overrides.clone();
        drop_changed(&mut overrides, &change);
        let config = effective(&document, &overrides)?;
        Ok(Draft { document, overrides, config, unknown_keys })
    }

    fn apply(&mut self, draft: Draft, change: &Value) -> Update {
        let Draft { document, overrides, config, unknown_keys } = draft;
        let restart_required = config.listen != self.config.listen || config.ui != self.config.ui;
        if document != self.document {
            let mut change = change.clone();
            drop_echoes(&mut change, &self.overrides);
            merge(&mut self.unsaved, &change);
        }
        (self.document, self.overrides) = (document, overrides);
        if !self.file.invalid && self.file.read_error.is_none() {
            self.file_warnings = unknown_keys.iter().map(|key| unknown_key(key)).collect();
        }
        self.config = config.clone();
        Update { config, restart_required, not_saved: None }
    }

    /// Writes the document. Backs the file up first if it has invalid settings.
    fn write(&mut self) -> Result<(), NotSaved> {
        let written = self.try_write();
        self.save_error =
            written.as_ref().err().map(|error| format!("{error}; the changes last until khor ends"));
        written
    }

    fn try_write(&mut self) -> Result<(), NotSaved> {
        let path = self.path.display();
        if let Some(error) = &self.file.read_error {
            return Err(NotSaved(format!("{error}; khor does not overwrite it")));
        }
        let failed = |action: &str, cause: io::Error| NotSaved(format!("cannot {action} {path}: {cause}"));
        if self.file.invalid {
            let backup = files::back_up(&self.path).map_err(|cause| failed("back up", cause))?;
            warn!("{path} had invalid settings; its backup is {}", backup.display());
        }
        let mut text =
            serde_json::to_vec_pretty(&self.document).map_err(|cause| failed("write", cause.into()))?;
        text.push(b'\n');
        let stamp = files::replace(&self.path, &text).map_err(|cause| failed("write", cause))?;
        self.file = FileState { stamp: Some(stamp), ..FileState::default() };
        self.unsaved = empty();
        let unknown_keys = parse(&self.document).map(|(_, unknown_keys)| unknown_keys).unwrap_or_default();
        self.file_warnings = unknown_keys.iter().map(|key| unknown_key(key)).collect();
        Ok(())
    }
}

fn read(path: &Path) -> Content {
    let text = match files::read_text(path, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Content::Missing,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Content::Invalid(format!("{}: {error}", path.display()));
        }
        Err(error) => return Content::Unreadable(format!("cannot read {}: {error}", path.display())),
    };
    match serde_json::from_str(&text) {
        Ok(document) => Content::Json(document),
        Err(error) => Content::Invalid(format!("{}: {error}", path.display())),
    }
}

/// The error in the section `listen`, if there is one. An unknown key counts: it may restrict
/// access in a newer version.
fn listen_error(recovered: &Recovered) -> Option<String> {
    let problem = recovered.problems.iter().find(|problem| concerns_listen(&problem.field));
    let unknown =
        || recovered.unknown_keys.iter().find(|key| concerns_listen(key)).map(|key| unknown_key(key));
    problem.map(ToString::to_string).or_else(unknown)
}

fn concerns_listen(field: &str) -> bool {
    match field.strip_prefix("listen") {
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        // The whole document is not an object.
        None => matches!(field, "" | "."),
    }
}

/// Rejects a change that would stop the API at the next start.
fn reject_unknown_listen_keys(unknown_keys: &[String], change: &Value) -> Result<(), ConfigError> {
    let in_change = |key: &str| change.pointer(&format!("/{}", key.replace('.', "/"))).is_some();
    match unknown_keys.iter().find(|key| concerns_listen(key) && in_change(key)) {
        Some(key) => Err(ConfigError { field: key.clone(), problem: "is not a key khor knows".into() }),
        None => Ok(()),
    }
}

/// The configuration in `document`, overridden by `overrides`.
fn effective(document: &Value, overrides: &Value) -> Result<Config, ConfigError> {
    let mut document = document.clone();
    merge(&mut document, overrides);
    Ok(parse(&document)?.0)
}

fn unknown_key(key: &str) -> String {
    format!("{} is not a key khor knows; it is kept", inert::escaped(key, 200))
}
