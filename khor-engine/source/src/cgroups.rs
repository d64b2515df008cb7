//! Looks through the unified cgroup hierarchy for units by their names.

use std::{fs, path::Path};

use khor_proto::{inert, kernel_text};
use khor_system::cgroup_name::is_unit;

/// How deep it is looked: the collector looks no deeper.
const DEPTH: usize = 16;
/// Most directories that are looked at: several times what a full Kubernetes node has.
const MOST_DIRECTORIES: usize = 20_000;

/// The paths of all cgroups of that unit, in order: one, or one for each user that runs it.
pub(super) fn of_unit(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(|path| {
        if path.rsplit('/').next() == Some(name) {
            found.push(path.to_owned());
        }
    });
    found.sort();
    found
}

/// The names of all units that have a cgroup now, in order, each once. Names that the
/// configuration refuses are left out.
pub fn units() -> Vec<String> {
    let mut found = Vec::new();
    let is_choice = |name: &&str| is_unit(name) && inert::is_inert(name);
    walk(|path| found.extend(path.rsplit('/').next().filter(is_choice).map(str::to_owned)));
    found.sort();
    found.dedup();
    found
}

/// Calls `see` with the path of every cgroup, in the form that the collector expects.
fn walk(mut see: impl FnMut(&str)) {
    let Some(root) = kernel_text::cgroup_root() else { return };
    let mut waiting = vec![(root.clone(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = waiting.pop() {
        // A cgroup that is removed during the walk is skipped.
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        let below = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        for path in below.map(|entry| entry.path()) {
            seen += 1;
            if seen > MOST_DIRECTORIES {
                return;
            }
            // A scope names a cgroup by text, so a path that is not UTF-8 cannot be chosen.
            if let Some(relative) = path.strip_prefix(&root).ok().and_then(Path::to_str) {
                see(&format!("/{relative}"));
            }
            if depth + 1 < DEPTH {
                waiting.push((path, depth + 1));
            }
        }
    }
}
