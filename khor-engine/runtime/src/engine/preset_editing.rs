//! Edits presets: plays unsaved presets, saves presets to the user's folder, deletes presets, and
//! reloads changed files.

use std::path::{Path, PathBuf};

use khor_config::{ConfigPatch, UpdateError};
use khor_music::{Preset, Problem};
use khor_system::files;
use tracing::{info, warn};

use super::{
    Engine,
    conductor::Command,
    library::{Library, MAX_FILES},
};

/// Names that no preset may have, because the API uses these words in its paths.
const RESERVED: [&str; 2] = ["check", "preview"];

/// Why a preset was not saved or deleted.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The preset is invalid.
    #[error("{}", first(.0))]
    Invalid(Vec<Problem>),
    /// The preset is built in.
    #[error("{0} is built in and cannot be changed; save it under another name")]
    BuiltIn(String),
    /// The path at which khor would save the preset is taken: the file there does not contain this
    /// preset.
    #[error("{} already contains {content}; choose another name, or remove the file", path.display())]
    Taken {
        /// Path of the file.
        path: PathBuf,
        /// A description of the file's content.
        content: String,
    },
    /// The folder contains the maximum number of preset files.
    #[error("{} contains {MAX_FILES} preset files, and khor reads no more; remove one first", .0.display())]
    Full(PathBuf),
    /// There is no preset with this name.
    #[error("there is no preset {0}; see khor presets")]
    Unknown(String),
    /// The file cannot be written or removed.
    #[error("cannot write or delete {}: {cause}", path.display())]
    Disk {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        cause: std::io::Error,
    },
    /// The selected preset was deleted, but the default preset could not be selected in its place.
    #[error(transparent)]
    Select(#[from] UpdateError),
}

/// Returns the text of the first problem.
fn first(problems: &[Problem]) -> String {
    problems.first().map_or_else(|| "the preset is invalid".to_owned(), Problem::to_string)
}

impl Engine {
    /// Reloads the user's presets. If the file of the playing preset has changed, the new content
    /// plays from the next bar on. Waits for the disk.
    pub(super) fn refresh_presets(&self) {
        // Run only one reload at a time, because concurrent reloads would overwrite each other's
        // results.
        let _one = self.preset_refresh.lock();
        let before = self.library();
        let mut library = Library::clone(&before);
        if !library.refresh() {
            return;
        }
        let known = before.problems();
        library
            .problems()
            .iter()
            .filter(|problem| !known.contains(problem))
            .for_each(|p| warn!("preset {p}"));
        let config = self.config();
        let (was, is) = (before.playable(&config.music.preset), library.playable(&config.music.preset));
        *self.library.write() = std::sync::Arc::new(library);
        let current = self.preview.lock();
        if was != is && current.is_none() {
            info!("the file of the preset {} has changed and was read again", is.name);
            self.conductor.send(Command::Preset(Box::new(is)));
        }
    }

    /// The name of the unsaved preset that plays.
    pub fn preview_name(&self) -> Option<String> {
        self.preview_preset().map(|preset| preset.name)
    }

    /// The unsaved preset that plays. When the page is opened again, it uses this preset to
    /// continue the editing.
    pub fn preview_preset(&self) -> Option<Preset> {
        self.preview.lock().clone()
    }

    /// Plays an unsaved preset from the next bar on.
    pub fn preview(&self, preset: Preset) {
        let mut current = self.preview.lock();
        *current = Some(preset.clone());
        self.conductor.send(Command::Preset(Box::new(preset)));
    }

    /// Ends the preview if there is one. The configured preset plays again.
    pub fn end_preview(&self) {
        let mut current = self.preview.lock();
        if current.take().is_some() {
            self.conductor
                .send(Command::Preset(Box::new(self.library().playable(&self.config().music.preset))));
        }
    }

    /// Writes a preset to the user's folder. Waits for the disk.
    pub fn save_preset(&self, preset: &Preset) -> Result<(), EditError> {
        let name = &preset.name;
        if Preset::find(name).is_some() {
            return Err(EditError::BuiltIn(name.clone()));
        }
        if RESERVED.contains(&name.as_str()) {
            let message = format!("{name} is a reserved word of the API; choose another name");
            return Err(EditError::Invalid(vec![Problem { path: "name".into(), message }]));
        }
        let path = file_for(&self.library(), name)?;
        let written = preset
            .to_toml()
            .map_err(std::io::Error::other)
            .and_then(|text| files::replace(&path, text.as_bytes()));
        written.map_err(|cause| EditError::Disk { path, cause })?;
        self.refresh_presets();
        Ok(())
    }

    /// Selects the first built-in preset.
    fn select_default_preset(&self) -> Result<(), UpdateError> {
        let mut change = ConfigPatch::default();
        change.music.preset = Some(Preset::builtin()[0].name.clone());
        self.update_config(&change).map(drop)
    }

    /// Deletes the file of a preset. If this preset is selected, selects the default preset. Waits
    /// for the disk.
    pub fn delete_preset(&self, name: &str) -> Result<(), EditError> {
        if Preset::find(name).is_some() {
            return Err(EditError::BuiltIn(name.to_owned()));
        }
        let library = self.library();
        let path = library.file_of(name).ok_or_else(|| EditError::Unknown(name.to_owned()))?;
        std::fs::remove_file(path).map_err(|cause| EditError::Disk { path: path.to_owned(), cause })?;
        if self.config().music.preset == name {
            self.select_default_preset()?;
        }
        self.refresh_presets();
        Ok(())
    }
}

/// The file in which a preset is saved: the file that already contains this preset, or a new file
/// with the preset's name.
fn file_for(library: &Library, name: &str) -> Result<PathBuf, EditError> {
    if let Some(path) = library.file_of(name) {
        return Ok(path.to_owned());
    }
    if library.is_full() {
        return Err(EditError::Full(library.dir().to_owned()));
    }
    let path = library.dir().join(format!("{name}.toml"));
    match existing_content(library, &path) {
        Some(content) => Err(EditError::Taken { path, content }),
        None => Ok(path),
    }
}

/// Describes the content of a file that must not be overwritten. Returns `None` if the file does
/// not exist.
fn existing_content(library: &Library, path: &Path) -> Option<String> {
    let other = library.presets().find(|preset| library.file_of(&preset.name) == Some(path));
    match other {
        Some(preset) => Some(format!("the preset {}", preset.name)),
        None if path.exists() => {
            Some("an invalid preset, or one whose name another file already uses".to_owned())
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Library) {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path().to_owned());
        (dir, library)
    }

    #[test]
    fn saving_never_overwrites_another_preset() {
        let (dir, mut library) = folder();
        assert_eq!(file_for(&library, "mine").unwrap(), dir.path().join("mine.toml"));
        let mine = Preset { name: "mine".into(), ..Preset::builtin()[0].clone() };
        std::fs::write(dir.path().join("other.toml"), mine.to_toml().unwrap()).unwrap();
        std::fs::write(dir.path().join("half.toml"), "name = ").unwrap();
        library.refresh();
        assert_eq!(
            file_for(&library, "mine").unwrap(),
            dir.path().join("other.toml"),
            "the file already has this preset"
        );
        let taken = file_for(&library, "other").unwrap_err().to_string();
        assert!(taken.contains("other.toml already contains the preset mine"), "{taken}");
        let taken = file_for(&library, "half").unwrap_err().to_string();
        assert!(taken.contains("an invalid preset"), "{taken}");
    }

    #[test]
    fn a_full_folder_rejects_new_presets() {
        let (dir, mut library) = folder();
        for number in 0..MAX_FILES {
            let preset = Preset { name: format!("p{number}"), ..Preset::builtin()[0].clone() };
            std::fs::write(dir.path().join(format!("p{number}.toml")), preset.to_toml().unwrap()).unwrap();
        }
        library.refresh();
        assert!(file_for(&library, "p7").is_ok());
        let full = file_for(&library, "another").unwrap_err().to_string();
        assert!(full.contains("contains 256 preset files"), "{full}");
    }
}
