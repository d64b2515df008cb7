//! The token that opens the API, and the file that holds it.

use std::{
    fs::Metadata,
    io::{self, Read},
    net::IpAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use khor_system::files;
use nix::unistd::Uid;

/// Shortest token, characters.
const LEAST_TOKEN_CHARS: usize = 32;
/// Largest token file that is read, bytes.
const MAX_BYTES: u64 = 4096;

/// Why the listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Other machines could listen and steer, because there is no token.
    #[error(
        "listen.host: {ip} can be reached from other machines, which needs a token: make one with `{}` and set \
         listen.token_file to that file; or listen on 127.0.0.1 and forward the port: ssh -L 17321:127.0.0.1:17321 HOST",
        make(Path::new("~/.config/khor/token"))
    )]
    NoToken {
        /// Address of the listener.
        ip: IpAddr,
    },
    /// The file can't be read.
    #[error("token file: {path}: {cause}; make one with `{}`", make(Path::new(path)))]
    Unreadable {
        /// The file.
        path: String,
        /// The system's error.
        cause: io::Error,
    },
    /// Other users could read the file, or change it.
    #[error("token file: other users may read or change {0}: chmod 600 {0}")]
    Open(String),
    /// Another user owns the file, and could change it.
    #[error("token file: {path} belongs to user {owner}: chown it to the user who runs khor")]
    ForeignOwner {
        /// The file.
        path: String,
        /// The user who owns the file.
        owner: u32,
    },
    /// The token is easy to guess, or cannot be sent in a header.
    #[error(
        "token file: {path} must hold one line of at least 32 letters, digits or any of -._~+/=; make one with `{}`",
        make(Path::new(path))
    )]
    Unfit {
        /// The file.
        path: String,
    },
}

/// The command that makes a token.
fn make(path: &Path) -> String {
    format!("(umask 077; head -c 32 /dev/urandom | base64 -w 0 > {})", path.display())
}

/// Reads a token. Checks that the file is closed to all users but its owner, and that its group can
/// at most read it.
///
/// # Errors
///
/// The file cannot be read, other users may read or change it, or it does not hold a token.
pub fn read_token(path: &Path) -> Result<Arc<str>, AccessError> {
    let path_text = || path.display().to_string();
    let (file, text) = read(path).map_err(|cause| AccessError::Unreadable { path: path_text(), cause })?;
    if file.permissions().mode() & 0o027 != 0 {
        return Err(AccessError::Open(path_text()));
    }
    if file.uid() != Uid::effective().as_raw() && file.uid() != 0 {
        return Err(AccessError::ForeignOwner { path: path_text(), owner: file.uid() });
    }
    let token = text.trim();
    let fit = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if token.len() < LEAST_TOKEN_CHARS || !token.chars().all(fit) {
        return Err(AccessError::Unfit { path: path_text() });
    }
    Ok(token.into())
}

/// The file's metadata and text, of one open file: the path may lead elsewhere a moment later.
fn read(path: &Path) -> io::Result<(Metadata, String)> {
    let file = files::open(path)?;
    let (metadata, mut text) = (file.metadata()?, String::new());
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok((metadata, text))
}
