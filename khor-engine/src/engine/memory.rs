//! What this machine has taught, kept in a file over restarts.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{config::write_atomically, signal::Learnt};

/// Version of the file's layout, and of the scale its octaves are on.
const VERSION: u32 = 1;

/// The file.
#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    /// By signal name.
    signals: BTreeMap<String, Learnt>,
}

/// Where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    path: PathBuf,
}

impl Memory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// What was learnt; nothing if that can't be read: a machine can learn again.
    pub(crate) fn load(&self) -> BTreeMap<String, Learnt> {
        let read = || -> io::Result<Document> { Ok(serde_json::from_slice(&fs::read(&self.path)?)?) };
        match read() {
            Ok(document) if document.version == VERSION => document.signals,
            Ok(document) => {
                warn!(
                    "{}: version {} is not {VERSION}; learning anew",
                    self.path.display(),
                    document.version
                );
                BTreeMap::new()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                warn!("{}: {error}; learning anew", self.path.display());
                BTreeMap::new()
            }
        }
    }

    /// Keeps what was learnt. Waits for the disk.
    pub(crate) fn save(&self, signals: BTreeMap<String, Learnt>) {
        let write = || -> io::Result<()> {
            let text = serde_json::to_string_pretty(&Document { version: VERSION, signals })?;
            write_atomically(&self.path, text.as_bytes())
        };
        if let Err(error) = write() {
            warn!("{}: {error}; what this machine has taught is lost at the next start", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_and_what_is_broken_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory::new(dir.path().join("new/baseline.json"));
        assert!(memory.load().is_empty());
        let learnt = Learnt { middle_octaves: 1.5, high_octaves: 2.5, learnt_s: 600.0 };
        memory.save(BTreeMap::from([("rx".to_owned(), learnt)]));
        assert_eq!(memory.load()["rx"], learnt);
        fs::write(&memory.path, "{\"version\": 1, \"signals\": {").unwrap();
        assert!(memory.load().is_empty());
        fs::write(&memory.path, "{\"version\": 9, \"signals\": {}}").unwrap();
        assert!(memory.load().is_empty());
    }
}
