//! Keeps the configuration in memory and on disk. Applies the changes of clients, and the edits
//! that the user makes in the file.

mod file;
#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
};

use khor_system::{
    files::{self, Stamp},
    words::counted,
};
use serde_json::{Map, Value};
use tracing::{info, warn};

use self::file::{Content, FileState, read, text};
use crate::{
    ConfigError, Patch,
    config::{Config, ConfigPatch, Recovered},
    unknown_keys::{UnknownKeys, concerns_listen},
};

/// Maximum number of invalid settings that the warnings name. Further invalid settings are only
/// counted.
const NAMED_PROBLEMS: usize = 8;

/// The configuration and its file. Unknown keys stay in the file. A command-line flag overrides its
/// setting in the file until a client changes this setting. Flags are never written to the file.
#[derive(Debug)]
pub struct ConfigStore {
    path: PathBuf,
    /// Content of the file when khor last read or wrote it. It may contain unknown keys and invalid
    /// settings.
    document: Value,
    /// The settings in the file, with the changes that khor has not written to the file yet.
    stored: Config,
    /// The settings from the command line that still apply.
    flags: ConfigPatch,
    /// The current settings: `stored`, overridden by `flags`.
    config: Config,
    file_warnings: Vec<String>,
    /// The warnings that khor has logged already and does not log again.
    logged: Vec<String>,
    file: FileState,
    /// Changes that are not in the file yet.
    unsaved: ConfigPatch,
    /// Why the last write failed; `None` if it succeeded.
    save_error: Option<String>,
    listen_error: Option<String>,
}

/// The content of a configuration file, as [`ConfigStore::inspect`] reads it.
#[derive(Debug)]
pub struct InspectedConfig {
    /// The valid settings of the file. Invalid and missing settings have their defaults.
    pub config: Config,
    /// The errors of the first invalid settings, and the number of further invalid settings.
    pub problems: Vec<String>,
    /// A warning about the unknown keys; `None` if there are none.
    pub unknown_keys: Option<String>,
    /// Why an engine with this file would not serve its API: see [`ConfigStore::listen_error`].
    pub listen_error: Option<String>,
}

/// A change that is checked but not applied yet.
struct Draft {
    change: ConfigPatch,
    stored: Config,
    flags: ConfigPatch,
    config: Config,
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigUpdate {
    /// The new configuration.
    pub config: Config,
    /// Whether at least one of the changed settings takes effect only after a restart.
    pub restart_required: bool,
    /// Why khor could not write the change to the file. An unwritten change is lost when khor ends.
    pub not_saved: Option<String>,
}

/// Why khor rejected a change. A rejected change changes no setting.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The change is invalid.
    #[error(transparent)]
    Invalid(#[from] ConfigError),
    /// Another client has changed the configuration since this client read it.
    #[error("another client has changed the settings: read them again, then repeat the change")]
    Changed,
}

/// Why khor could not write changes to the file. The changes are lost when khor ends.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SaveError(String);

impl ConfigStore {
    /// Reads the file without changing it. If the file is missing, all settings have their
    /// defaults. An invalid setting gets its default and a warning, so that an invalid file never
    /// stops the sound. An invalid file can stop the API: see [`Self::listen_error`].
    pub fn open(path: PathBuf) -> Self {
        let mut store = Self {
            path,
            document: empty(),
            stored: Config::default(),
            flags: ConfigPatch::default(),
            config: Config::default(),
            file_warnings: Vec::new(),
            logged: Vec::new(),
            file: FileState::default(),
            unsaved: ConfigPatch::default(),
            save_error: None,
            listen_error: None,
        };
        store.file.stamp = Stamp::of(&store.path).unwrap_or_default();
        match read(&store.path) {
            Content::Missing => {}
            Content::Json(document) => {
                let recovered = Config::recover(&document, &store.stored);
                store.listen_error = listen_error(&recovered);
                store.config = recovered.config.clone();
                store.accept(document, recovered, "the default is used");
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
    /// Fails if the file cannot be read, or if it is not valid JSON.
    pub fn inspect(path: &Path) -> Result<Option<InspectedConfig>, String> {
        let document = match read(path) {
            Content::Missing => return Ok(None),
            Content::Json(document) => document,
            Content::Invalid(error) | Content::Unreadable(error) => return Err(error),
        };
        let recovered = Config::recover(&document, &Config::default());
        let listen_error = listen_error(&recovered);
        let Recovered { config, problems, unknown_keys } = recovered;
        let problems = first_problems(problems.iter().map(ToString::to_string));
        Ok(Some(InspectedConfig { config, problems, unknown_keys: unknown_keys.warning(), listen_error }))
    }

    /// Overrides settings of the file with `flags`. A flag applies until khor ends or a client
    /// changes its setting.
    ///
    /// # Errors
    ///
    /// Fails if a flag is invalid, or conflicts with a setting in the file.
    pub fn with_flags(mut self, flags: ConfigPatch) -> Result<Self, ConfigError> {
        self.config = self.stored.with(&flags)?;
        self.flags = flags;
        Ok(self)
    }

    /// The current configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The problems of the file, and the error of the last write. Each is one line.
    pub fn warnings(&self) -> Vec<String> {
        self.file_warnings.iter().chain(&self.save_error).cloned().collect()
    }

    /// Why khor could not read the section `listen` when it started. With an error, the engine must
    /// not serve its API, because the section may require a token. Later changes of the file do not
    /// change this value.
    pub fn listen_error(&self) -> Option<&str> {
        self.listen_error.as_deref()
    }

    /// Reads a change from JSON: see [`Config::read_change`].
    ///
    /// # Errors
    ///
    /// Returns an error for the first unknown key or invalid setting.
    pub fn read_change(&self, change: &Value) -> Result<ConfigPatch, ConfigError> {
        self.config.read_change(change, &self.document)
    }

    /// Checks that the current configuration has one of these tags ([`Config::tag`]). `None`
    /// accepts every configuration.
    ///
    /// # Errors
    ///
    /// Fails if another client has changed the configuration.
    pub fn require_tag(&self, tags: Option<&[&str]>) -> Result<(), UpdateError> {
        let is_current = tags.is_none_or(|tags| tags.contains(&self.config.tag().as_str()));
        if is_current { Ok(()) } else { Err(UpdateError::Changed) }
    }

    /// Reads the file again if another program has changed it. Keeps the changes that are not in
    /// the file yet. Returns whether the configuration or the warnings may have changed.
    pub fn refresh(&mut self) -> bool {
        // If the file system does not answer, treat the file as unchanged.
        let Ok(stamp) = Stamp::of(&self.path) else { return false };
        if stamp == self.file.stamp {
            return false;
        }
        self.file = FileState { stamp, ..FileState::default() };
        match read(&self.path) {
            // The file was removed. Keep the settings; the next change creates the file again.
            Content::Missing => return false,
            Content::Json(document) => self.reload(document),
            Content::Invalid(error) => {
                self.file_warnings = vec![format!("{error}; the previous settings stay")];
                self.file.invalid = true;
            }
            Content::Unreadable(error) => {
                self.file_warnings =
                    vec![format!("{error}; the previous settings stay, and changes are not saved")];
                self.file.read_error = Some(error);
            }
        }
        info!("{} was changed by another program", self.path.display());
        self.log_warnings();
        true
    }

    fn reload(&mut self, document: Value) {
        let mut recovered = Config::recover(&document, &self.stored);
        let with_unsaved = recovered.config.with(&self.unsaved);
        match with_unsaved.and_then(|stored| Ok((stored.with(&self.flags)?, stored))) {
            Ok((_, stored)) => recovered.config = stored,
            // The edit conflicts with the unsaved changes. The edit is newer, so drop the unsaved
            // changes.
            Err(_) => self.unsaved = ConfigPatch::default(),
        }
        match recovered.config.with(&self.flags) {
            Ok(config) => {
                self.config = config;
                self.accept(document, recovered, "the previous value stays");
            }
            Err(error) => {
                self.file_warnings =
                    vec![format!("{error} (conflict with the command line); the previous settings stay")];
                self.file.invalid = true;
            }
        }
    }

    fn accept(&mut self, document: Value, recovered: Recovered, fallback: &str) {
        let Recovered { config, problems, unknown_keys } = recovered;
        self.file.invalid = !problems.is_empty();
        self.file_warnings = first_problems(problems.iter().map(|problem| format!("{problem}; {fallback}")));
        self.file_warnings.extend(unknown_keys.warning());
        (self.stored, self.document) = (config, document);
    }

    fn log_warnings(&mut self) {
        for warning in self.file_warnings.iter().filter(|warning| !self.logged.contains(warning)) {
            warn!("configuration: {warning}");
        }
        self.logged.clone_from(&self.file_warnings);
    }

    /// Applies `change` to the configuration and writes the file. If the write fails, the change
    /// still applies until khor ends.
    ///
    /// # Errors
    ///
    /// Fails if the change is invalid. In this case, no setting changes.
    pub fn update(&mut self, change: &ConfigPatch) -> Result<ConfigUpdate, UpdateError> {
        self.refresh();
        let draft = self.draft(change)?;
        let update = self.apply(draft);
        let not_saved = self.write().err().map(|SaveError(error)| error);
        Ok(ConfigUpdate { not_saved, ..update })
    }

    /// Applies `change` without writing the file. The caller must call [`Self::save`] later. This
    /// is for faders, which send many changes.
    ///
    /// # Errors
    ///
    /// Fails if the change is invalid. In this case, no setting changes.
    pub fn adjust(&mut self, change: &ConfigPatch) -> Result<ConfigUpdate, ConfigError> {
        let draft = self.draft(change)?;
        Ok(self.apply(draft))
    }

    /// Writes the unsaved changes to the file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written. The changes then stay unsaved, and the next call tries
    /// to write them again.
    pub fn save(&mut self) -> Result<(), SaveError> {
        self.refresh();
        if self.unsaved.is_empty() { Ok(()) } else { self.write() }
    }

    fn draft(&self, change: &ConfigPatch) -> Result<Draft, ConfigError> {
        // A client may send back values that come from the command line. Such values are not
        // changes.
        let mut change = change.clone();
        change.remove_equal(&self.flags);
        let stored = self.stored.with(&change)?;
        let mut flags = self.flags.clone();
        flags.remove_named(&change);
        let config = stored.with(&flags)?;
        Ok(Draft { change, stored, flags, config })
    }

    fn apply(&mut self, draft: Draft) -> ConfigUpdate {
        let Draft { change, stored, flags, config } = draft;
        let restart_required = self.config.restart_needed(&config);
        if stored != self.stored {
            self.unsaved.merge(&change);
        }
        (self.stored, self.flags, self.config) = (stored, flags, config.clone());
        ConfigUpdate { config, restart_required, not_saved: None }
    }

    /// Writes the settings to the file. Backs up a file with invalid settings first.
    fn write(&mut self) -> Result<(), SaveError> {
        let written = self.try_write();
        self.save_error =
            written.as_ref().err().map(|error| format!("{error}; the changes last until khor ends"));
        written
    }

    fn try_write(&mut self) -> Result<(), SaveError> {
        let path = self.path.display();
        if let Some(error) = &self.file.read_error {
            return Err(SaveError(format!("{error}; khor does not overwrite it")));
        }
        let failed = |action: &str, cause: io::Error| SaveError(format!("cannot {action} {path}: {cause}"));
        if self.file.invalid {
            let backup = files::back_up(&self.path).map_err(|cause| failed("back up", cause))?;
            warn!("{path} has invalid settings; khor keeps a copy in {}", backup.display());
        }
        let mut document = self.document.clone();
        self.stored.write_into(&mut document);
        let text = text(&document).map_err(|cause| failed("write", cause))?;
        let stamp = files::replace(&self.path, &text).map_err(|cause| failed("write", cause))?;
        self.file = FileState { stamp: Some(stamp), ..FileState::default() };
        self.unsaved = ConfigPatch::default();
        self.file_warnings = unknown_keys(&document).warning().into_iter().collect();
        self.document = document;
        Ok(())
    }
}

/// An empty JSON object.
fn empty() -> Value {
    Value::Object(Map::new())
}

/// The unknown keys in a document, which are the keys that this version of khor does not know.
fn unknown_keys(document: &Value) -> UnknownKeys {
    Config::recover(document, &Config::default()).unknown_keys
}

/// Returns the texts of the first problems, and one text with the number of further problems.
fn first_problems(problems: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = problems.len().saturating_sub(NAMED_PROBLEMS);
    let mut first: Vec<String> = problems.take(NAMED_PROBLEMS).collect();
    if more > 0 {
        first.push(counted(more as u64, "more invalid setting"));
    }
    first
}

/// The first error in the section `listen`; `None` if there is none.
fn listen_error(recovered: &Recovered) -> Option<String> {
    let problem = recovered.problems.iter().find(|problem| concerns_listen(&problem.field));
    problem.map(ToString::to_string).or_else(|| recovered.unknown_keys.listen_error())
}
