//! Finds the cgroups of systemd units by name in the unified cgroup hierarchy.

use std::{fs, path::Path};

use khor_proto::{inert, kernel_text};
use khor_system::cgroup_name::is_unit;

/// Maximum depth of the search. The collector has the same limit.
const DEPTH: usize = 16;
/// Maximum number of directories that are searched. This is several times as many as a full
/// Kubernetes node has.
const MOST_DIRECTORIES: usize = 20_000;

/// Returns the paths of all cgroups of a unit, sorted. If several users run a unit in their
/// sessions, the unit has one cgroup for each user.
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

/// Returns the names of all units that have a cgroup now, sorted, without duplicates. Omits names
/// that the configuration rejects.
pub fn units() -> Vec<String> {
    let mut found = Vec::new();
    let is_choice = |name: &&str| is_unit(name) && inert::is_inert(name);
    walk(|path| found.extend(path.rsplit('/').next().filter(is_choice).map(str::to_owned)));
    found.sort();
    found.dedup();
    found
}

/// Calls `visit` with the path of each cgroup. The path begins with a slash and is relative to the
/// root of the cgroup file system, as the collector expects.
fn walk(mut visit: impl FnMut(&str)) {
    let Some(root) = kernel_text::cgroup_root() else { return };
    let mut waiting = vec![(root.clone(), 0)];
    let mut visited = 0;
    while let Some((directory, depth)) = waiting.pop() {
        // A cgroup that is removed during the walk is skipped.
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        let below = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        for path in below.map(|entry| entry.path()) {
            visited += 1;
            if visited > MOST_DIRECTORIES {
                return;
            }
            // A scope contains the paths of its cgroups as text, so a path that is not UTF-8 cannot
            // be selected.
            if let Some(relative) = path.strip_prefix(&root).ok().and_then(Path::to_str) {
                visit(&format!("/{relative}"));
            }
            if depth + 1 < DEPTH {
                waiting.push((path, depth + 1));
            }
        }
    }
}
