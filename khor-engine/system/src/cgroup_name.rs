//! Checks the texts in the configuration that select a cgroup: unit names and paths.

use khor_proto::inert;

/// The suffixes of systemd units that have a cgroup.
const UNITS: [&str; 6] = [".service", ".scope", ".slice", ".socket", ".mount", ".swap"];
/// Longest name of a systemd unit, bytes. systemd has the same limit.
const MAX_UNIT_BYTES: usize = 255;

/// Whether `name` is the name of a systemd unit that may have a cgroup.
pub fn is_unit(name: &str) -> bool {
    let kind = UNITS.iter().find(|kind| name.ends_with(**kind));
    kind.is_some_and(|kind| name.len() > kind.len()) && name.len() <= MAX_UNIT_BYTES && !name.contains('/')
}

/// Whether `text` can select a cgroup: it is empty, the name of a unit, or a path from the root of
/// the hierarchy without `.` and `..`. Control, bidirectional and invisible characters are not
/// allowed ([inert]), because no cgroup manager creates names with such characters.
pub fn is_selector(text: &str) -> bool {
    if !inert::is_inert(text) {
        return false;
    }
    match text.strip_prefix('/') {
        Some(path) => path.split('/').all(|part| !matches!(part, "." | "..")),
        None => text.is_empty() || is_unit(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_units_are_accepted() {
        for name in ["nginx.service", "docker-0123.scope", "user.slice", "a@b.service"] {
            assert!(is_unit(name), "{name}");
        }
        for name in ["nginx", ".service", "a/b.service", "", "x.timer"] {
            assert!(!is_unit(name), "{name}");
        }
        assert!(!is_unit(&format!("{}.service", "x".repeat(250))));
    }
}
