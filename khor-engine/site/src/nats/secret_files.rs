//! Finds secret files of the NATS connection that users other than their owner can read. Such users
//! could send messages as this host.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use khor_system::files;
use nix::unistd::Group;

/// The permission bits of all users except the owner.
const NON_OWNER_BITS: u32 = 0o077;

/// A secret file that users other than its owner can read or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The file.
    pub path: PathBuf,
    /// The users that can read the file: for example `the group khor`, or `all users`.
    pub readers: String,
}

impl Exposed {
    /// Checks the file's permissions. Returns `None` if only its owner has permissions.
    ///
    /// # Errors
    ///
    /// Fails if the permissions cannot be read, or if the file system does not answer in time
    /// ([`files::with_timeout`]).
    pub fn find(path: &Path) -> io::Result<Option<Self>> {
        let found = files::with_timeout(path, |path| fs::metadata(path))?;
        let readers = match found.mode() & NON_OWNER_BITS {
            0 => return Ok(None),
            mode if mode & 0o007 != 0 => "all users".to_owned(),
            _ => format!("the group {}", group(found.gid())),
        };
        Ok(Some(Self { path: path.to_owned(), readers }))
    }
}

fn group(gid: u32) -> String {
    Group::from_gid(gid.into()).ok().flatten().map_or_else(|| gid.to_string(), |group| group.name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn readable_secrets_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay.nk");
        fs::write(&path, "SU").unwrap();
        let readers = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Exposed::find(&path).unwrap().map(|exposed| exposed.readers)
        };
        assert_eq!((readers(0o600), readers(0o400)), (None, None));
        assert!(readers(0o640).unwrap().starts_with("the group "));
        assert_eq!(readers(0o644).as_deref(), Some("all users"));
        assert!(Exposed::find(&dir.path().join("none")).is_err());
    }
}
