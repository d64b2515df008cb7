//! Finds the cgroups of systemd units by name in the unified cgroup hierarchy.

use std::{fs, path::Path};

use khor_proto::{inert, kernel_text};
use khor_system::cgroup_name::is_unit;

/// Maximum depth of the search, which is also that of the collector.
const DEPTH: usize = 16;
/// Maximum number of directories that are searched: several times as many as on a full Kubernetes
/// node.
const MOST_DIRECTORIES: usize = 20_000;

/// The paths of all cgroups of a unit, sorted. A unit of user sessions has one for each user that
/// runs it.
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

/// The names of all units that have a cgroup now, sorted, without duplicates. Omits names that the
/// configuration rejects.
pub fn units() -> Vec<String> {
    let mut found = Vec::new();
    let is_choice = |name: &&str| is_unit(name) && inert::is_inert(name);
    walk(|path| found.extend(path.rsplit('/').next().filter(is_choice).map(str::to_owned)));
    found.sort();
    found.dedup();
    found
}

/// Calls `visit` with the path of each cgroup, in the form that the collector expects.
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
            // A scope names a cgroup as text, so it cannot select a path that is not UTF-8.
            if let Some(relative) = path.strip_prefix(&root).ok().and_then(Path::to_str) {
                visit(&format!("/{relative}"));
            }
            if depth + 1 < DEPTH {
                waiting.push((path, depth + 1));
            }
        }
    }
}
