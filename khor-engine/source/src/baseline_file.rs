//! Keeps the baselines of this machine and its scopes in a file, so that they survive restarts.
//!
//! Each scope has a baseline of its own, because a service behaves differently from the whole
//! machine. Baselines of processes are not saved, because the same process id soon belongs to
//! another process.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::SystemTime};

use khor_proto::{Scope, Selector};
use khor_signal::LearntBaseline;
use khor_system::{clock::unix_ms, files};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::warn;

/// Version of the file. It changes when the format or the octave scale of the baselines changes.
const VERSION: u32 = 1;
/// Maximum number of scopes in the file. If there are more, the scope that was saved longest ago is
/// dropped. The limit is necessary because each restarted container is a new scope.
const MOST_SCOPES: usize = 64;
/// Maximum length of the file, bytes. Each scope takes a few kilobytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Baselines by the names of their signals.
type Signals = BTreeMap<String, LearntBaseline>;

/// The content of the baseline file.
#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    /// Baselines of the whole machine.
    signals: Signals,
    /// Baselines of scopes. The key of a scope contains the paths of its cgroups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    scopes: BTreeMap<String, ScopeSignals>,
}

#[derive(Serialize, Deserialize)]
struct ScopeSignals {
    /// When the baselines were saved, milliseconds since 1970.
    kept_ts_ms: u64,
    signals: Signals,
}

impl Document {
    const fn empty() -> Self {
        Self { version: VERSION, signals: BTreeMap::new(), scopes: BTreeMap::new() }
    }

    /// Sets the baseline of a scope. If there are too many scopes, drops the oldest one.
    fn insert(&mut self, key: String, signals: Signals) {
        if key.is_empty() {
            self.signals = signals;
            return;
        }
        let kept = ScopeSignals { kept_ts_ms: unix_ms(SystemTime::now()), signals };
        self.scopes.insert(key, kept);
        while self.scopes.len() > MOST_SCOPES {
            let oldest = self.scopes.iter().min_by_key(|(_, kept)| kept.kept_ts_ms);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            self.scopes.remove(&oldest);
        }
    }
}

/// The file with the baselines.
#[derive(Clone, Debug)]
pub struct BaselineFile {
    path: PathBuf,
    /// Locked while the file is read, changed and written, so that two threads do not overwrite
    /// each other's changes.
    writing: Arc<Mutex<()>>,
}

impl BaselineFile {
    /// Creates the store for the file at `path`. Does not read the file.
    pub fn new(path: PathBuf) -> Self {
        Self { path, writing: Arc::default() }
    }

    /// Returns the baselines of a scope. If the file is unreadable, returns no baselines, and khor
    /// learns them again.
    pub fn load(&self, scope: &Scope) -> Signals {
        let mut document = self.read().unwrap_or_else(|error| {
            warn!("{error}; khor learns the baseline again");
            Document::empty()
        });
        match key(scope) {
            Some(key) if key.is_empty() => document.signals,
            Some(key) => document.scopes.remove(&key).map(|kept| kept.signals).unwrap_or_default(),
            None => Signals::new(),
        }
    }

    /// Saves the baselines of a scope in the background. Does nothing if `signals` is empty.
    pub fn save_later(&self, scope: &Scope, signals: Signals) -> Option<JoinHandle<()>> {
        let (file, scope) = (self.clone(), scope.clone());
        (!signals.is_empty()).then(|| spawn_blocking(move || file.save(&scope, signals)))
    }

    /// Saves the baselines of a scope. Waits for the disk.
    fn save(&self, scope: &Scope, signals: Signals) {
        let Some(key) = key(scope) else { return };
        let _writing = self.writing.lock();
        let mut document = match self.read_to_replace() {
            Ok(document) => document,
            Err(error) => return warn!("{error}; the baseline is not saved"),
        };
        document.insert(key, signals);
        let write = || files::replace(&self.path, serde_json::to_string_pretty(&document)?.as_bytes());
        if let Err(error) = write() {
            warn!("cannot write {}: {error}; the baseline is not saved", self.path.display());
        }
    }

    fn read(&self) -> Result<Document, ReadError> {
        let path = self.path.display();
        let bytes = match files::read(&self.path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::empty()),
            Err(error) => return Err(ReadError::Unreadable(format!("cannot read {path}: {error}"))),
        };
        match serde_json::from_slice::<Document>(&bytes) {
            Ok(document) if document.version == VERSION => Ok(document),
            Ok(Document { version, .. }) => Err(ReadError::Invalid(format!(
                "{path} has format version {version}, but this khor reads version {VERSION}"
            ))),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let problem = format!("{path} is not a valid baseline file (line {line}, column {column})");
                Err(ReadError::Invalid(problem))
            }
        }
    }

    /// Reads the file before it is replaced. Backs up an invalid file, because a newer khor may
    /// have written it.
    fn read_to_replace(&self) -> Result<Document, String> {
        match self.read() {
            Ok(document) => Ok(document),
            Err(ReadError::Unreadable(error)) => Err(error),
            Err(ReadError::Invalid(error)) => {
                let backup = files::back_up(&self.path)
                    .map_err(|cause| format!("cannot back up {}: {cause}", self.path.display()))?;
                warn!("{error}; khor backed up the file as {}", backup.display());
                Ok(Document::empty())
            }
        }
    }
}

/// Why the baseline file cannot be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("{0}")]
    Unreadable(String),
    #[error("{0}")]
    Invalid(String),
}

/// The key of a scope in the file. It is empty for the whole machine. Returns `None` if the scope's
/// baselines are not saved.
fn key(scope: &Scope) -> Option<String> {
    let Scope::Selected { include, exclude } = scope else { return Some(String::new()) };
    let path = |selector: &Selector| match selector {
        Selector::Cgroup(path) => Some(path.clone()),
        Selector::Process(_) => None,
    };
    let paths: Option<Vec<String>> = include.iter().map(path).collect();
    paths.filter(|_| exclude.is_empty()).map(|paths| paths.join(" "))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LEARNT: LearntBaseline = LearntBaseline { middle_octaves: 1.5, high_octaves: 2.5, learnt_s: 600.0 };

    fn signals(name: &str) -> Signals {
        BTreeMap::from([(name.to_owned(), LEARNT)])
    }

    #[test]
    fn a_damaged_baseline_file_counts_as_empty() {
        let dir = tempfile::tempdir().unwrap();
        let file = BaselineFile::new(dir.path().join("new/baseline.json"));
        let load = || file.load(&Scope::Machine);
        assert!(load().is_empty());
        file.save(&Scope::Machine, signals("rx"));
        assert_eq!(load()["rx"], LEARNT);
        fs::write(&file.path, "{\"version\": 1, \"signals\": {").unwrap();
        assert!(load().is_empty());
        fs::write(&file.path, "{\"version\": 9, \"signals\": {}}").unwrap();
        assert!(load().is_empty());
        file.save(&Scope::Machine, signals("tx"));
        assert_eq!(load(), signals("tx"));
        let backup = fs::read_to_string(dir.path().join("new/baseline.json.bad")).unwrap();
        assert!(backup.contains("\"version\": 9"), "the file of a newer khor is kept: {backup}");
    }

    #[test]
    fn baselines_of_cgroups_are_saved_processes_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = BaselineFile::new(dir.path().join("baseline.json"));
        let cgroup = |number: usize| Scope::only(Selector::Cgroup(format!("/{number}")));
        file.save(&Scope::Machine, signals("rx"));
        file.save(&cgroup(0), signals("tx"));
        assert_eq!(file.load(&Scope::Machine), signals("rx"));
        assert_eq!(file.load(&cgroup(0)), signals("tx"));
        let process = Scope::only(Selector::Process(1));
        file.save(&process, signals("io"));
        assert!(file.load(&process).is_empty());
        std::thread::sleep(std::time::Duration::from_millis(2));
        for number in 1..=MOST_SCOPES {
            file.save(&cgroup(number), signals("tx"));
        }
        assert!(file.load(&cgroup(0)).is_empty(), "the oldest scope is dropped");
        assert_eq!(file.load(&cgroup(MOST_SCOPES)), signals("tx"));
        assert_eq!(file.load(&Scope::Machine), signals("rx"), "the machine's baseline is kept");
    }
}
