//! The unified cgroup hierarchy: from a path to the id by which the kernel knows a cgroup.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use khor_layout::MAX_CGROUP_DEPTH;

const MAX_PATH_BYTES: usize = 1024;

/// Where the hierarchy is mounted.
#[derive(Clone, Debug)]
pub(super) struct Hierarchy {
    root: Option<PathBuf>,
}

impl Hierarchy {
    /// Finds it among the mounts of this process.
    pub(super) fn find() -> Self {
        Self { root: fs::read_to_string("/proc/self/mountinfo").ok().and_then(|text| mount_point(&text)) }
    }

    /// The directory of the cgroup at `path`, which must begin with a slash; it need not exist.
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

/// Id of the cgroup whose directory this is, if it exists: the inode number.
pub(super) fn id(directory: &Path) -> Option<u64> {
    fs::metadata(directory).ok().filter(fs::Metadata::is_dir).map(|found| found.ino())
}

/// The mount point of the first `cgroup2` in a mountinfo file (`proc_pid_mountinfo(5)`).
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let kind = filesystem.split_whitespace().next()?;
        (kind == "cgroup2").then(|| mount.split_whitespace().nth(4).map(PathBuf::from))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_point_is_the_fifth_field() {
        let text = "22 26 0:20 / /sys rw shared:7 - sysfs sysfs rw\n\
                    28 22 0:25 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(mount_point(text), Some("/sys/fs/cgroup".into()));
        assert_eq!(mount_point(""), None);
    }

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
