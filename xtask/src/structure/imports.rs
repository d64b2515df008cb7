//! Finds the imports between the files of a crate.
//!
//! A name may be re-exported by another file than the one that defines it. An import of such a name
//! counts as an import of the defining file. Test code is ignored.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Maximum number of re-exports to follow from a name to its definition.
const MAX_DEPTH: usize = 8;

/// The path of a module within its crate; empty for the root.
type Module = Vec<String>;

/// A source file of a crate, with its `use` declarations.
struct Source {
    path: PathBuf,
    text: String,
    uses: Vec<Use>,
}

/// A name that a `use` declaration brings into scope.
struct Use {
    name: String,
    path: Vec<String>,
    /// Whether the declaration is public, which makes it a re-export. A re-export does not count as
    /// an import, because the file may not use the name itself.
    is_public: bool,
}

/// The files of one crate.
pub(super) struct Crate {
    files: BTreeMap<Module, Source>,
}

impl Crate {
    /// Reads all files below `src`, except those of tests.
    pub(super) fn read(src: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(src, &Module::new(), &mut files);
        Self { files }
    }

    /// For each file, the other files that it imports from.
    pub(super) fn imports(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
        let of = |module: &Module, source: &Source| {
            let declared = source.uses.iter().filter(|it| !it.is_public).map(|it| it.path.clone());
            let paths = declared.chain(inline_paths(&source.text));
            let targets = paths.filter_map(|path| self.target(module, &path, 0));
            targets.filter(|target| *target != source.path).collect()
        };
        self.files.iter().map(|(module, source)| (source.path.clone(), of(module, source))).collect()
    }

    /// The file that defines the last name of `path`, if the path is used in `module`. The result
    /// is `None` if another crate defines the name.
    fn target(&self, module: &Module, path: &[String], depth: usize) -> Option<PathBuf> {
        let mut segments = path.iter().map(String::as_str).peekable();
        let mut at = module.clone();
        match *segments.peek()? {
            "crate" => at.clear(),
            "self" | "super" => {}
            first if self.files.contains_key(&child(&at, first)) => {}
            _ => return None,
        }
        while let Some(segment) = segments.next() {
            match segment {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name if self.files.contains_key(&child(&at, name)) => at.push(name.to_owned()),
                name => {
                    let reexported = self.files[&at].uses.iter().find(|it| it.name == name);
                    let is_own = |path: &[String]| path.last().is_some_and(|last| last == "self");
                    return match reexported {
                        Some(Use { path, .. }) if depth < MAX_DEPTH && !is_own(path) => {
                            let rest = segments.map(str::to_owned);
                            let path: Vec<String> = path.iter().cloned().chain(rest).collect();
                            self.target(&at, &path, depth + 1)
                        }
                        _ => Some(self.files[&at].path.clone()),
                    };
                }
            }
        }
        Some(self.files.get(&at)?.path.clone())
    }
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().map(String::as_str).chain([name]).map(str::to_owned).collect()
}

fn collect(folder: &Path, module: &Module, files: &mut BTreeMap<Module, Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "tests" || name == "bin" {
            continue;
        }
        let inner = match name.as_str() {
            "lib" | "main" | "mod" => module.clone(),
            name => child(module, name),
        };
        if path.is_dir() {
            collect(&path, &inner, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = without_tests(&fs::read_to_string(&path).unwrap_or_default());
            let uses = uses(&text);
            // A crate may have both a library and a program. The library is then treated as the
            // crate's root.
            if name != "main" || !files.contains_key(&inner) {
                files.insert(inner, Source { path, text, uses });
            }
        }
    }
}

/// The text of a file without its comments and its test module, which is at the end of the file.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut skip = false;
    for line in text.lines() {
        let line = line.trim_start();
        if skip && line.ends_with("mod tests {") {
            break;
        }
        if line == "#[cfg(test)]" {
            skip = true;
        } else if !line.starts_with("//") && !line.starts_with("#[") && !std::mem::take(&mut skip) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The `use` declarations of a file.
fn uses(text: &str) -> Vec<Use> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].rsplit('\n').next().unwrap_or_default();
        let is_public = before.starts_with("pub");
        let begins = before.is_empty() || is_public;
        rest = &rest[at + 4..];
        if begins && let Some(end) = rest.find(';') {
            let mut paths = Vec::new();
            expand(&rest[..end].replace('\n', " "), &[], &mut paths);
            found.extend(paths.into_iter().map(|(name, path)| Use { name, path, is_public }));
        }
    }
    found
}

/// Expands a tree such as `a::{b, c::d as e}`.
fn expand(tree: &str, prefix: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let inner: Vec<String> = prefix
            .iter()
            .cloned()
            .chain(tree[..open].split("::").filter(|it| !it.trim().is_empty()).map(|it| it.trim().to_owned()))
            .collect();
        let body = tree[open + 1..].trim_end().strip_suffix('}').unwrap_or(&tree[open + 1..]);
        let mut depth = 0_i32;
        let parts = body.split(|letter| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            letter == ',' && depth == 0
        });
        parts.filter(|part| !part.trim().is_empty()).for_each(|part| expand(part, &inner, found));
        return;
    }
    let (path, name) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name.trim())));
    let path: Vec<String> =
        prefix.iter().cloned().chain(path.split("::").map(|it| it.trim().to_owned())).collect();
    let last = match path.last().map(String::as_str) {
        Some("self") => path.iter().rev().nth(1),
        _ => path.last(),
    };
    let name = name.map(str::to_owned).or(last.cloned()).unwrap_or_default();
    found.push((name, path));
}

/// Paths in code that start with `crate`, `super` or `self`.
fn inline_paths(text: &str) -> Vec<Vec<String>> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == ':' || letter == '_';
    let is_use = |statement: &str| {
        let statement = statement.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        statement.trim_start_matches("pub(super) ").starts_with("use ")
    };
    let mut paths = Vec::new();
    for statement in text.split_inclusive(';').filter(|statement| !is_use(statement)) {
        for (at, _) in ["crate::", "super::", "self::"].iter().flat_map(|root| statement.match_indices(root))
        {
            let before = &statement[..at];
            let begins = !before.chars().next_back().is_some_and(is_name) && !before.ends_with("(in ");
            let path = statement[at..].split(|letter| !is_name(letter)).next().unwrap_or_default();
            if begins {
                paths.push(path.split("::").filter(|it| !it.is_empty()).map(str::to_owned).collect());
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reexport_counts_as_its_file() {
        let folder = std::env::temp_dir().join(format!("khor-imports-{}", std::process::id()));
        fs::create_dir_all(folder.join("b")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("lib.rs", "mod a;\nmod b;\npub use b::{c::C, D};\n");
        write("a.rs", "use crate::{C as Other, D};\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n");
        write("b/mod.rs", "pub mod c;\npub struct D;\n");
        write("b/c.rs", "fn f() -> crate::a::A { super::D }\n");
        let imports = Crate::read(&folder).imports();
        fs::remove_dir_all(&folder).unwrap();
        let of = |name: &str| {
            let files = imports[&folder.join(name)].iter();
            files.map(|file| file.strip_prefix(&folder).unwrap().display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of("a.rs"), ["b/c.rs", "b/mod.rs"]);
        assert_eq!(of("b/c.rs"), ["a.rs", "b/mod.rs"]);
    }
}
