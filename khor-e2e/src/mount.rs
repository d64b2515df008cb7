//! Mounts file systems for a test: a small one, a read-only one, a bind mount, and one that never
//! answers.

use std::{
    fs::File,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct Mount {
    /// A FUSE file system's connection to the kernel. Closing it ends every pending access with an
    /// error.
    server: Option<File>,
    place: PathBuf,
}

impl Mount {
    /// Mounts an empty tmpfs with a size of `bytes`.
    pub fn in_memory(place: &Path, bytes: usize) -> nix::Result<Self> {
        let options = format!("size={bytes}");
        mount(Some("khor-test"), place, Some("tmpfs"), MsFlags::empty(), Some(options.as_str()))?;
        Ok(Self { server: None, place: place.to_owned() })
    }

    /// Bind-mounts `source` at `place`. Both paths must be files, or both must be folders.
    pub fn bind(source: &Path, place: &Path) -> nix::Result<Self> {
        mount(Some(source), place, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        Ok(Self { server: None, place: place.to_owned() })
    }

    /// Mounts a cgroup v1 hierarchy with the controller `controller`.
    pub fn old_hierarchy(place: &Path, controller: &str) -> nix::Result<Self> {
        mount(Some("khor-test"), place, Some("cgroup"), MsFlags::empty(), Some(controller))?;
        Ok(Self { server: None, place: place.to_owned() })
    }

    /// Mounts a FUSE file system on which every access blocks, because its server never answers.
    pub fn hanging(place: &Path) -> std::io::Result<Self> {
        let server = File::options().read(true).write(true).open("/dev/fuse")?;
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", server.as_raw_fd());
        mount(Some("khor-test"), place, Some("fuse"), MsFlags::empty(), Some(options.as_str()))?;
        Ok(Self { server: Some(server), place: place.to_owned() })
    }

    /// Makes the file system read-only.
    pub fn make_read_only(&self) -> nix::Result<()> {
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, &self.place, None::<&str>, flags, None::<&str>)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.server.take();
        let _ = umount2(&self.place, MntFlags::MNT_DETACH);
    }
}
