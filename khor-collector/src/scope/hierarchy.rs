//! Finds cgroups in the unified hierarchy by their path.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use khor_layout::MAX_CGROUP_DEPTH;
use khor_proto::kernel_text;

const MAX_PATH_BYTES: usize = 1024;

/// The mount point of the unified hierarchy.
#[derive(Clone, Debug)]
pub(super) struct Hierarchy {
    root: Option<PathBuf>,
}

impl Hierarchy {
    /// Finds the unified hierarchy in the mount table of this process.
    pub(super) fn find() -> Self {
        Self { root: kernel_text::cgroup_root() }
    }

    /// Returns the directory of the cgroup at `path`, which must start with a slash. The cgroup
    /// need not exist.
    pub(super) fn directory(&self, path: &str) -> Result<PathBuf, String> {
        let root = self.root.as_ref().ok_or("the unified cgroup hierarchy (cgroup2) is not mounted")?;
        let relative = path
            .strip_prefix('/')
            .ok_or_else(|| format!("the cgroup path {path:?} must start with a slash"))?;
        if path.len() > MAX_PATH_BYTES {
            return Err(format!(
                "a cgroup path has at most {MAX_PATH_BYTES} bytes; this one has {}",
                path.len()
            ));
        }
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if path.contains('\0') || !Path::new(relative).components().all(plain) {
            return Err(format!("the cgroup path {path:?} must be a plain path, without `..`"));
        }
        let depth = Path::new(relative).components().count();
        if depth > MAX_CGROUP_DEPTH as usize {
            return Err(format!(
                "khor counts cgroups that are at most {MAX_CGROUP_DEPTH} levels deep; this one is at level {depth}"
            ));
        }
        Ok(root.join(relative))
    }
}

/// Properties of the directory of an existing cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    /// The kernel's id of the cgroup, which is the inode number of the directory.
    pub(super) id: u64,
    /// User who owns the directory. A delegated cgroup belongs to the user to whom it was
    /// delegated.
    pub(super) owner: u32,
}

/// Reads the id and owner of the cgroup at `directory`; `None` if there is no such cgroup.
pub(super) fn cgroup_at(directory: &Path) -> Option<Directory> {
    let found = fs::metadata(directory).ok().filter(fs::Metadata::is_dir)?;
    Some(Directory { id: found.ino(), owner: found.uid() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_absolute_paths_are_accepted() {
        let hierarchy = Hierarchy { root: Some("/cg".into()) };
        assert_eq!(hierarchy.directory("/a.slice/b.service"), Ok("/cg/a.slice/b.service".into()));
        assert_eq!(hierarchy.directory("/"), Ok("/cg/".into()));
        for (path, reason) in [
            ("a", "slash"),
            ("", "slash"),
            ("/../etc", "plain"),
            ("/a/../../etc", "plain"),
            ("/a\0b", "plain"),
            (&*format!("/{}", "x".repeat(2000)), "1024 bytes"),
            (&*"/a".repeat(17), "16 levels"),
        ] {
            assert!(hierarchy.directory(path).unwrap_err().contains(reason), "{path:?}");
        }
        assert!(Hierarchy { root: None }.directory("/a").unwrap_err().contains("cgroup2"));
    }
}
