//! The token that gives access to the API, and the file that contains it.

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

/// Minimum length of a token, in characters.
const LEAST_TOKEN_CHARS: usize = 32;
/// Maximum number of bytes that khor reads from a token file.
const MAX_BYTES: u64 = 4096;

/// Why khor does not open the listener.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Other machines can reach the listener, but there is no token.
    #[error(
        "listen.host: other machines can reach {ip}, so khor needs a token: make one with `{}` and set \
         listen.token_file to that file; or listen on 127.0.0.1 and forward the port: ssh -L 17321:127.0.0.1:17321 HOST",
        make(Path::new("~/.config/khor/token"))
    )]
    NoToken {
        /// Address of the listener.
        ip: IpAddr,
    },
    /// The token file cannot be read.
    #[error("cannot read the token file {path}: {cause}; make one with `{}`", make(Path::new(path)))]
    Unreadable {
        /// Path of the token file.
        path: String,
        /// The system's error.
        cause: io::Error,
    },
    /// Other users can read or change the token file.
    #[error("other users can read or change the token file {0}: run chmod 600 {0}")]
    Open(String),
    /// Another user owns the token file, and can change it.
    #[error("the token file {path} belongs to user {owner}: change its owner to the user who runs khor")]
    ForeignOwner {
        /// Path of the token file.
        path: String,
        /// Id of the user who owns the token file.
        owner: u32,
    },
    /// The token is too short, or contains characters that are not allowed in a header.
    #[error(
        "the token file {path} must contain one line of at least 32 characters: letters, digits and -._~+/=; make one with `{}`",
        make(Path::new(path))
    )]
    Unfit {
        /// Path of the token file.
        path: String,
    },
}

/// Returns the shell command that creates a token file.
fn make(path: &Path) -> String {
    format!("(umask 077; head -c 32 /dev/urandom | base64 -w 0 > {})", path.display())
}

/// Reads the token from its file. The file must be writable only by its owner, and readable only by
/// its owner and its group.
///
/// # Errors
///
/// Fails if the file cannot be read, if other users can read or change it, or if it contains no
/// valid token.
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

/// Reads the metadata and the text of the token file. Opens the path only once, because the path
/// may lead to another file a moment later.
fn read(path: &Path) -> io::Result<(Metadata, String)> {
    let file = files::open(path)?;
    let (metadata, mut text) = (file.metadata()?, String::new());
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok((metadata, text))
}
