//! Control groups for one test, in the unified hierarchy.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use khor_patience::Patience;

use crate::lock::MachineLock;

/// A cgroup. Dropping it kills its processes and removes it.
#[derive(Debug)]
pub struct Cgroup {
    root: PathBuf,
    path: String,
    /// Keeps other tests from using this path. Released after the cgroup is removed.
    _lock: MachineLock,
}

impl Cgroup {
    /// Creates the cgroup `path`, which begins with a slash, and its parents. Waits while another
    /// test uses this path. `None` if no unified hierarchy is mounted.
    pub fn make(path: &str) -> Option<Self> {
        let root = unified_root()?;
        let lock = MachineLock::wait_for(&format!("cgroup{}", path.replace('/', "-")));
        let cgroup = Self { root, path: path.to_owned(), _lock: lock };
        fs::create_dir_all(cgroup.directory()).expect("creating the cgroup");
        Some(cgroup)
    }

    /// The cgroup's path in the hierarchy, in the form that a scope contains.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The cgroup's directory in the file system.
    pub fn directory(&self) -> PathBuf {
        self.root.join(self.path.trim_start_matches('/'))
    }

    /// The cgroup's ID: the inode number of its directory.
    pub fn id(&self) -> u64 {
        fs::metadata(self.directory()).expect("the cgroup's directory").ino()
    }

    /// Moves a process into the cgroup.
    pub fn take(&self, pid: u32) {
        fs::write(self.directory().join("cgroup.procs"), pid.to_string())
            .expect("moving a process into the cgroup");
    }

    /// Whether this cgroup has children.
    fn has_children(&self) -> bool {
        let entries = fs::read_dir(self.directory()).into_iter().flatten().flatten();
        { entries }.any(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    }

    fn kill_all(&self) {
        for pid in fs::read_to_string(self.directory().join("cgroup.procs")).unwrap_or_default().lines() {
            if let Ok(pid) = pid.parse() {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
            }
        }
    }

    /// Enables a controller in all cgroups above this one. Returns false if the kernel refuses.
    pub fn enable(&self, controller: &str) -> bool {
        let above: Vec<PathBuf> = self.directory().ancestors().skip(1).map(Path::to_owned).collect();
        let within = above.iter().rev().filter(|directory| directory.starts_with(&self.root));
        let enabled: io::Result<()> = { within }.try_for_each(|directory| {
            fs::write(directory.join("cgroup.subtree_control"), format!("+{controller}"))
        });
        enabled.is_ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The kernel reports a cgroup as busy until its last process has been reaped.
        let mut patience = Patience::default();
        while let Err(error) = fs::remove_dir(self.directory())
            && error.kind() == io::ErrorKind::ResourceBusy
            && !self.has_children()
            && !patience.is_over()
        {
            self.kill_all();
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The mount point of the unified hierarchy; `None` if it is not mounted.
fn unified_root() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| point.into())
    })
}
