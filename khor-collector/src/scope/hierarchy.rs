//! The unified cgroup hierarchy: finds the kernel's id of the cgroup at a path.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use khor_layout::MAX_CGROUP_DEPTH;
use khor_proto::kernel_text;

const MAX_PATH_BYTES: usize = 1024;

/// Where the hierarchy is mounted.
#[derive(Clone, Debug)]
pub(super) struct Hierarchy {
    root: Option<PathBuf>,
}

impl Hierarchy {
    /// Finds it among the mounts of this process.
    pub(super) fn find() -> Self {
        Self { root: kernel_text::cgroup_root() }
    }

    /// The directory of the cgroup at `path`, which must begin with a slash. The cgroup need not
    /// exist.
    pub(super) fn directory(&self, path: &str) -> Result<PathBuf, String> {
        let root = self.root.as_ref().ok_or("no unified cgroup hierarchy is mounted (cgroup2)")?;
        let relative =
            path.strip_prefix('/').ok_or_else(|| format!("cgroup {path:?} must begin with a slash"))?;
        if path.len() > MAX_PATH_BYTES {
            return Err(format!(
                "a cgroup's path may have {MAX_PATH_BYTES} bytes, and this has {}",
                path.len()
            ));
        }
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if path.contains('\0') || !Path::new(relative).components().all(plain) {
            return Err(format!("cgroup {path:?} must be a plain path, without `..`"));
        }
        let depth = Path::new(relative).components().count();
        if depth > MAX_CGROUP_DEPTH as usize {
            return Err(format!(
                "cgroups are looked at {MAX_CGROUP_DEPTH} levels deep, and this is at level {depth}"
            ));
        }
        Ok(root.join(relative))
    }
}

/// A cgroup that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    /// The kernel's id of the cgroup: the inode number.
    pub(super) id: u64,
    /// User who owns the directory. A delegated cgroup belongs to the user to whom it is delegated.
    pub(super) owner: u32,
}

/// The cgroup at `directory`, if there is one.
pub(super) fn cgroup_at(directory: &Path) -> Option<Directory> {
    let found = fs::metadata(directory).ok().filter(fs::Metadata::is_dir)?;
    Some(Directory { id: found.ino(), owner: found.uid() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_absolute_paths_are_taken() {
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
