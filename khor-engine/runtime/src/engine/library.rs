//! The library of presets: the built-in presets and the user's files. khor reloads a file that has
//! changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use khor_api::PresetInfo;
use khor_music::Preset;
use khor_proto::inert;
use khor_system::{
    files::{self, Stamp},
    words::{counted, cut},
};

/// Maximum size of a preset file, in bytes. khor rejects larger files. A preset that sets every key
/// is about a tenth of this size.
const MAX_BYTES: u64 = 64 * 1024;
/// Maximum number of preset files that khor reads. It ignores all further files.
pub(super) const MAX_FILES: usize = 256;
/// Maximum number of entries in the preset folder that khor examines. It ignores all further
/// entries.
const MAX_ENTRIES: usize = 4096;
/// Maximum number of problems that are listed one by one. Further problems are only counted.
const MAX_PROBLEMS: usize = 16;
/// Maximum length of the text of one problem, in characters.
const PROBLEM_CHARS: usize = 400;

/// All presets, by name. An invalid file never stops the music: khor reports the line with the
/// error, and keeps using the last valid content of the file.
#[derive(Clone, Debug)]
pub struct Library {
    /// The folder of the user's presets.
    dir: PathBuf,
    /// The user's files, by path.
    files: BTreeMap<PathBuf, File>,
    /// Why khor cannot read all preset files of the folder. `None` if it can.
    folder_problem: Option<String>,
}

/// A preset file of the user.
#[derive(Clone, Debug)]
struct File {
    stamp: Stamp,
    /// The last valid preset in the file. `None` if the file never had one.
    preset: Option<Preset>,
    /// Why the current content is invalid; `None` if it is valid.
    problem: Option<String>,
}

impl Library {
    /// Reads the user's presets from `dir`, which need not exist.
    pub fn open(dir: PathBuf) -> Self {
        let mut library = Self { dir, files: BTreeMap::new(), folder_problem: None };
        library.refresh();
        library
    }

    /// Reads new and changed files, and drops deleted ones. Returns whether anything changed.
    pub fn refresh(&mut self) -> bool {
        let (listed, problem) = match files::with_timeout(&self.dir, list) {
            Ok(Listed { files, is_cut }) => (files, is_cut.then(|| self.too_many())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (BTreeMap::new(), None),
            Err(error) => {
                (BTreeMap::new(), Some(format!("{}: cannot read the folder: {error}", self.dir.display())))
            }
        };
        let mut changed = self.folder_problem != problem || listed.len() != self.files.len();
        self.folder_problem = problem;
        self.files.retain(|path, _| listed.contains_key(path));
        for (path, stamp) in listed {
            let before = self.files.get(&path);
            if before.is_some_and(|file| file.stamp == stamp) {
                continue;
            }
            changed = true;
            let previous = before.and_then(|file| file.preset.clone());
            let (preset, problem) = match read(&path) {
                Ok(preset) => (Some(preset), None),
                Err(problem) => {
                    let problem = format!("{}: {problem}", path.display());
                    (previous, Some(cut(&problem, PROBLEM_CHARS).into_owned()))
                }
            };
            self.files.insert(path, File { stamp, preset, problem });
        }
        changed
    }

    /// The problem of a folder that contains too many files.
    fn too_many(&self) -> String {
        let dir = self.dir.display();
        format!(
            "{dir}: khor reads only the first {MAX_FILES} preset files; move the others to another folder"
        )
    }

    /// Returns whether the folder contains so many preset files that khor would not read another
    /// one.
    pub(super) fn is_full(&self) -> bool {
        self.files.len() >= MAX_FILES
    }

    /// All presets, the built-in ones first. If several files contain the same preset name, only
    /// the first file in alphabetical order counts.
    pub fn presets(&self) -> impl Iterator<Item = &Preset> {
        let own = self.files.iter().filter_map(|(path, file)| Some((path, file.preset.as_ref()?)));
        let own = own.filter(|(path, preset)| self.file_of(&preset.name) == Some(path));
        Preset::builtin().iter().chain(own.map(|(_, preset)| preset))
    }

    /// Finds the preset with the name `name`.
    pub fn find(&self, name: &str) -> Option<&Preset> {
        self.presets().find(|preset| preset.name == name)
    }

    /// Finds the preset with the name `name`. If it is missing, returns the first built-in preset,
    /// so that the music continues. The health report mentions the missing preset.
    pub fn playable(&self, name: &str) -> Preset {
        self.find(name).unwrap_or(&Preset::builtin()[0]).clone()
    }

    /// The file of a preset, or `None` for a built-in preset.
    pub fn file_of(&self, name: &str) -> Option<&Path> {
        let from = self.files.iter().find(|(_, file)| file.preset.as_ref().is_some_and(|p| p.name == name));
        from.map(|(path, _)| path.as_path())
    }

    /// Describes a preset for the lists of the API.
    pub fn info(&self, preset: &Preset) -> PresetInfo {
        let file = self.file_of(&preset.name).map(|path| path.display().to_string());
        let (name, hint, builtin) = (preset.name.clone(), preset.hint.clone(), file.is_none());
        PresetInfo { name, hint, builtin, editable: !builtin, file }
    }

    /// The problems of the files, each with the file and the line. If there are more than 16, the
    /// last entry is the number of further problems.
    pub fn problems(&self) -> Vec<String> {
        let of_files = self.files.values().filter_map(|file| file.problem.as_ref());
        let all = self.folder_problem.iter().chain(of_files).cloned().chain(self.shared_names());
        // Replace characters that are unsafe in a terminal, because a file name may contain them.
        let mut problems: Vec<String> = all.map(inert::owned_line).collect();
        let more = problems.len().saturating_sub(MAX_PROBLEMS);
        problems.truncate(MAX_PROBLEMS);
        if more > 0 {
            problems.push(counted(more as u64, "more problem"));
        }
        problems
    }

    /// Returns one problem for each file whose preset name is already used by an earlier file.
    fn shared_names(&self) -> impl Iterator<Item = String> {
        self.files.iter().filter_map(|(path, file)| {
            let name = &file.preset.as_ref()?.name;
            let first = self.file_of(name).filter(|first| *first != path)?;
            let (path, first) = (path.display(), first.file_name()?.display());
            Some(format!(
                "{path}: the preset name {name} is already used by {first}, whose preset plays; choose another name"
            ))
        })
    }

    /// The folder of the user's presets.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Reads and checks one preset file.
pub fn read(path: &Path) -> Result<Preset, String> {
    let text = files::read_text(path, MAX_BYTES).map_err(|error| format!("cannot read the file: {error}"))?;
    let preset = Preset::parse(&text).map_err(|error| error.to_string())?;
    if Preset::find(&preset.name).is_some() {
        return Err(format!("the name {} belongs to a built-in preset; choose another name", preset.name));
    }
    Ok(preset)
}

/// The preset files of a folder.
struct Listed {
    files: BTreeMap<PathBuf, Stamp>,
    /// Whether the folder contains more preset files than this list.
    is_cut: bool,
}

/// Lists the first [`MAX_FILES`] preset files of a folder, in the order of their names.
fn list(dir: &Path) -> io::Result<Listed> {
    let (mut paths, mut is_cut) = (BTreeSet::new(), false);
    for (number, entry) in fs::read_dir(dir)?.enumerate() {
        if number == MAX_ENTRIES {
            is_cut = true;
            break;
        }
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("toml")) {
            paths.insert(path);
        }
    }
    is_cut |= paths.len() > MAX_FILES;
    // Skip a file that has just been deleted.
    let stamped = |path: PathBuf| Some((Stamp::from(&fs::metadata(&path).ok()?), path));
    let files = paths.into_iter().take(MAX_FILES).filter_map(stamped);
    Ok(Listed { files: files.map(|(stamp, path)| (path, stamp)).collect(), is_cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        include_str!("../../../music/presets/drone.toml").replacen("\"drone\"", &format!("{name:?}"), 1)
    }

    #[test]
    fn the_library_follows_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("presets");
        let mut library = Library::open(folder.clone());
        assert!(library.find("mine").is_none() && library.problems().is_empty());
        fs::create_dir(&folder).unwrap();
        let file = folder.join("mine.toml");
        fs::write(&file, text("mine")).unwrap();
        assert!(library.refresh() && library.find("mine").is_some());
        assert_eq!(library.file_of("mine"), Some(file.as_path()));
        assert!(!library.refresh(), "nothing changed");

        fs::write(&file, text("mine").replacen("chord_bars = ", "chord_bars = 9", 1)).unwrap();
        assert!(library.refresh());
        let problems = library.problems();
        assert!(
            problems[0].contains("mine.toml: line ") && problems[0].contains("bed.chord_bars"),
            "{problems:?}"
        );
        assert!(library.find("mine").is_some(), "the last valid content stays");

        fs::write(&file, &text("mine")[..300]).unwrap();
        assert!(library.refresh() && library.find("mine").is_some() && library.problems().len() == 1);
        fs::remove_file(&file).unwrap();
        assert!(library.refresh() && library.find("mine").is_none() && library.problems().is_empty());
    }

    #[test]
    fn duplicate_preset_names_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.toml"), text("mine").replacen("hint = \"", "hint = \"First. ", 1))
            .unwrap();
        fs::write(dir.path().join("b.toml"), text("mine")).unwrap();
        fs::write(dir.path().join("c.toml"), text("other")).unwrap();
        let mut library = Library::open(dir.path().to_owned());
        let problems = library.problems();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(
            problem.contains("b.toml: the preset name mine is already used by a.toml, whose preset plays"),
            "{problem}"
        );
        let found = library.find("mine").unwrap();
        assert!(found.hint.starts_with("First."), "{}", found.hint);
        assert_eq!(library.presets().filter(|preset| preset.name == "mine").count(), 1, "listed once");
        fs::remove_file(dir.path().join("a.toml")).unwrap();
        assert!(library.refresh() && library.problems().is_empty());
        assert!(!library.find("mine").unwrap().hint.starts_with("First."), "now the other file is used");
    }

    #[test]
    fn built_in_names_are_rejected() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.toml"), text("drone")).unwrap();
        assert!(Library::open(dir.path().to_owned()).problems()[0].contains("built-in"));
    }

    #[test]
    fn lists_of_files_and_problems_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..300 {
            fs::write(dir.path().join(format!("{number:03}.toml")), "name = ").unwrap();
        }
        let library = Library::open(dir.path().to_owned());
        assert!(library.is_full() && library.files.len() == MAX_FILES);
        let problems = library.problems();
        assert_eq!(problems.len(), MAX_PROBLEMS + 1, "{problems:?}");
        assert!(problems[0].contains("only the first 256 preset files"), "{problems:?}");
        assert!(problems[1].contains("000.toml: line 1"), "{problems:?}");
        assert_eq!(problems[MAX_PROBLEMS], "241 more problems");
    }

    #[test]
    fn problem_texts_have_bounded_length() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(MAX_BYTES as usize / 2);
        fs::write(dir.path().join("a.toml"), format!("{}\n# {long}{long}", text("a"))).unwrap();
        fs::write(dir.path().join("b.toml"), text("b").replacen("hint = \"", &format!("hint = \"{long}"), 1))
            .unwrap();
        fs::write(dir.path().join("c.toml"), text("c").replacen("trim_db = ", &format!("{long} = "), 1))
            .unwrap();
        let problems = Library::open(dir.path().to_owned()).problems();
        let [a, b, c] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(a.contains("larger than 65536 bytes"), "{a}");
        assert!(b.contains("hint: must be at most 300 characters"), "{b}");
        assert!(c.contains("c.toml") && c.chars().count() <= PROBLEM_CHARS + 1, "{c}");
    }
}
