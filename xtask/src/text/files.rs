//! Finds the source files whose text is tested.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::process::root;

/// Folders whose files are not tested: they contain built or downloaded files, or the tests' own
/// list of words.
const SKIPPED: [&str; 5] = ["target", "node_modules", "dist", "shots", "text"];

/// Names of the page's generated files, which are not tested.
const GENERATED: [&str; 3] = ["schema.ts", "ranges.ts", "lanes.ts"];

/// A source file: its path from the checkout's root, and its text.
pub(super) struct Source {
    pub name: String,
    pub text: String,
}

/// All hand-written files in Rust, TypeScript and JavaScript.
pub(super) fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    paths.sort();
    let read = |path: PathBuf| Source {
        name: path.strip_prefix(root()).unwrap_or(&path).display().to_string(),
        text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    };
    let sources: Vec<Source> = paths.into_iter().map(read).collect();
    assert!(sources.len() > 500, "only {} source files found", sources.len());
    sources
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_source =
            path.extension().is_some_and(|kind| ["rs", "ts", "tsx", "mjs"].iter().any(|it| kind == *it));
        if path.is_symlink() || name.starts_with('.') {
        } else if path.is_dir() && !SKIPPED.contains(&name.as_ref()) {
            collect(&path, found);
        } else if is_source && !GENERATED.contains(&name.as_ref()) {
            found.push(path);
        }
    }
}
