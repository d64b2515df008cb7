//! Keeps the configuration on disk. Applies changes that khor makes and edits that the user makes
//! in the file.

use std::{
    io,
    path::{Path, PathBuf},
};

use khor_system::{
    files::{self, Stamp},
    words::counted,
};
use serde_json::Value;
use tracing::{info, warn};

use super::{
    Config, ConfigError,
    merge::{check_shape, drop_changed, drop_echoes, empty, merge},
    recover::{Recovered, default_shape, parse, recover},
    unknown_keys::{self, UnknownKeys, concerns_listen},
};

#[cfg(test)]
mod tests;

/// Largest configuration file that is read or written, bytes. All known settings at their greatest
/// length take a third of it.
const MAX_BYTES: usize = 256 * 1024;
/// Invalid settings that the warnings name one by one.
const NAMED_PROBLEMS: usize = 8;

/// The configuration and its file. Unknown keys stay in the file. Command-line flags override the
/// file and are never written to it. A flag holds until its setting is changed.
#[derive(Debug)]
pub struct ConfigStore {
    path: PathBuf,
    document: Value,
    overrides: Value,
    config: Config,
    file_warnings: Vec<String>,
    /// The warnings that were logged. Reading the file again does not log them again.
    logged: Vec<String>,
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
pub struct InspectedConfig {
    /// The valid settings of the file, and defaults for the others.
    pub config: Config,
    /// Errors of the first invalid settings, and the number of the others.
    pub problems: Vec<String>,
    /// A sentence about the unknown keys, if there are any.
    pub unknown_keys: Option<String>,
    /// Why an engine would not serve its API: see [`ConfigStore::listen_error`].
    pub listen_error: Option<String>,
}

/// A change that has been checked but not applied.
struct Draft {
    document: Value,
    overrides: Value,
    config: Config,
    unknown_keys: UnknownKeys,
}

/// Result of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigUpdate {
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
pub struct SaveError(String);

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
            logged: Vec::new(),
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
    pub fn inspect(path: &Path) -> Result<Option<InspectedConfig>, String> {
        let document = match read(path) {
            Content::Missing => return Ok(None),
            Content::Json(document) => document,
            Content::Invalid(error) | Content::Unreadable(error) => return Err(error),
        };
        let recovered = recover(document, &empty());
        let listen_error = listen_error(&recovered);
        let Recovered { config, problems, unknown_keys, .. } = recovered;
        let problems = first_problems(problems.iter().map(ToString::to_string));
        Ok(Some(InspectedConfig { config, problems, unknown_keys: unknown_keys.warning(), listen_error }))
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
        self.file_warnings = first_problems(problems.iter().map(|problem| format!("{problem}; {fallback}")));
        self.file_warnings.extend(unknown_keys.warning());
        (self.config, self.document) = (config, document);
    }

    fn log_warnings(&mut self) {
        for warning in self.file_warnings.iter().filter(|warning| !self.logged.contains(warning)) {
            warn!("configuration: {warning}");
        }
        self.logged.clone_from(&self.file_warnings);
    }

    /// Merges `change` (any part of the configuration, RFC 7396 without deletion) into the
    /// configuration and writes the file. If the write fails, the change lasts until khor ends.
    ///
    /// # Errors
    ///
    /// The change is invalid; nothing was changed.
    pub fn update(&mut self, change: &Value) -> Result<ConfigUpdate, UpdateError> {
        self.refresh();
        let draft = self.draft(change)?;
        let update = self.apply(draft, change);
        let not_saved = self.write().err().map(|SaveError(error)| error);
        Ok(ConfigUpdate { not_saved, ..update })
    }

    /// Like [`Self::update`], but does not write the file until [`Self::keep`]. For a fader that
    /// moves.
    pub fn adjust(&mut self, change: &Value) -> Result<ConfigUpdate, ConfigError> {
        let draft = self.draft(change)?;
        Ok(self.apply(draft, change))
    }

    /// Writes the unsaved changes.
    ///
    /// # Errors
    ///
    /// The write failed. The changes stay unsaved, and the next call tries again.
    pub fn save(&mut self) -> Result<(), SaveError> {
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
        unknown_keys::reject(&change, &default_shape(), &self.document, "")?;
        merge(&mut document, &change);
        let (_, unknown_keys) = parse(&document)?;
        let mut overrides = self.overrides.clone();
        drop_changed(&mut overrides, &change);
        let config = effective(&document, &overrides)?;
        Ok(Draft { document, overrides, config, unknown_keys })
    }

    fn apply(&mut self, draft: Draft, change: &Value) -> ConfigUpdate {
        let Draft { document, overrides, config, unknown_keys } = draft;
        let restart_required = config.listen != self.config.listen || config.ui != self.config.ui;
        if document != self.document {
            let mut change = change.clone();
            drop_echoes(&mut change, &self.overrides);
            merge(&mut self.unsaved, &change);
        }
        (self.document, self.overrides) = (document, overrides);
        if !self.file.invalid && self.file.read_error.is_none() {
            self.file_warnings = unknown_keys.warning().into_iter().collect();
        }
        self.config = config.clone();
        ConfigUpdate { config, restart_required, not_saved: None }
    }

    /// Writes the document. Backs the file up first if it has invalid settings.
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
            warn!("{path} had invalid settings; its backup is {}", backup.display());
        }
        let text = text(&self.document).map_err(|cause| failed("write", cause))?;
        let stamp = files::replace(&self.path, &text).map_err(|cause| failed("write", cause))?;
        self.file = FileState { stamp: Some(stamp), ..FileState::default() };
        self.unsaved = empty();
        let unknown_keys = parse(&self.document).map(|(_, unknown_keys)| unknown_keys).unwrap_or_default();
        self.file_warnings = unknown_keys.warning().into_iter().collect();
        Ok(())
    }
}

fn read(path: &Path) -> Content {
    let text = match files::read_text(path, MAX_BYTES as u64) {
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

/// The text of the file: indented, or in one line if the indented text would be too long.
fn text(document: &Value) -> io::Result<Vec<u8>> {
    let mut text = Bounded(Vec::new());
    if serde_json::to_writer_pretty(&mut text, document).is_err() {
        text.0.clear();
        serde_json::to_writer(&mut text, document)?;
    }
    text.0.push(b'\n');
    Ok(text.0)
}

/// A writer that fails beyond the largest size of the file.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() >= MAX_BYTES {
            let message =
                format!("it would be larger than {MAX_BYTES} bytes; remove keys that khor does not know");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first problems, and the number of the others.
fn first_problems(problems: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = problems.len().saturating_sub(NAMED_PROBLEMS);
    let mut first: Vec<String> = problems.take(NAMED_PROBLEMS).collect();
    if more > 0 {
        first.push(counted(more as u64, "more invalid setting"));
    }
    first
}

/// The error in the section `listen`, if there is one.
fn listen_error(recovered: &Recovered) -> Option<String> {
    let problem = recovered.problems.iter().find(|problem| concerns_listen(&problem.field));
    problem.map(ToString::to_string).or_else(|| recovered.unknown_keys.listen_error())
}

/// The configuration in `document`, overridden by `overrides`.
fn effective(document: &Value, overrides: &Value) -> Result<Config, ConfigError> {
    let mut document = document.clone();
    merge(&mut document, overrides);
    Ok(parse(&document)?.0)
}
