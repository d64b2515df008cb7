//! Tests that no files import each other in a cycle.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{crates, imports::Crate};
use crate::process::root;

/// The accepted import cycles, each with its files and the reason why it is accepted.
const REASONED: [(&[&str], &str); 1] = [(
    &[
        "khor-collector/src/scope/client_count.rs",
        "khor-collector/src/scope/count.rs",
        "khor-collector/src/scope/registry.rs",
    ],
    "the registry creates counts, and a dropped count removes itself from the registry",
)];

type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// The files that `from` imports, directly or indirectly.
fn reached(imports: &Imports, from: &Path) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(file) = open.pop() {
        for next in imports.get(&file).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}

/// The groups of files that import each other.
fn circles(imports: &Imports) -> BTreeSet<BTreeSet<PathBuf>> {
    let reached: BTreeMap<_, _> = imports.keys().map(|file| (file, reached(imports, file))).collect();
    let is_in = |file: &PathBuf| reached[file].contains(file);
    let circle = |file: &PathBuf| {
        let other = |other: &&PathBuf| reached.get(*other).is_some_and(|from| from.contains(file));
        reached[file].iter().filter(other).cloned().collect()
    };
    imports.keys().filter(|file| is_in(file)).map(circle).collect()
}

#[test]
fn files_import_each_other_in_one_direction() {
    let mut found = Vec::new();
    for folder in crates::folders() {
        let imports = Crate::read(&folder.join("src")).imports();
        for circle in circles(&imports) {
            let name = |file: &PathBuf| file.strip_prefix(root()).unwrap_or(file).display().to_string();
            let names: Vec<String> = circle.iter().map(name).collect();
            if REASONED.iter().any(|(files, _)| *files == names) {
                continue;
            }
            for file in &circle {
                let within = imports[file].intersection(&circle).map(name).collect::<Vec<_>>().join(", ");
                found.push(format!("{} imports {within}", name(file)));
            }
            found.push(String::new());
        }
    }
    assert!(found.is_empty(), "circles of imports:\n{}", found.join("\n"));
}
