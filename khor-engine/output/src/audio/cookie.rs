//! Creates the cookie file that a sound server requires of its clients, if the file is missing.
//!
//! PulseAudio creates the cookie file when it starts. PipeWire creates none, and accepts any cookie
//! of the right length. libpulse creates a missing cookie file, but cpal does not use libpulse.
//! Without the file, cpal sends no cookie, and the server rejects the connection.

use std::{
    fs::{DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Once,
};

use khor_system::files;
use tempfile::NamedTempFile;
use tracing::warn;

/// Length of a cookie, bytes (PulseAudio's `PA_NATIVE_COOKIE_LENGTH`).
const LENGTH: usize = 256;

/// Creates the cookie file that cpal reads, if a sound server exists but the file does not. If
/// libpulse keeps its cookie in another folder, copies that cookie. Otherwise creates a random
/// cookie.
pub(super) fn ensure() {
    static WARNED: Once = Once::new();
    if pulseaudio::socket_path_from_env().is_none() || pulseaudio::cookie_path_from_env().is_some() {
        return;
    }
    let Some(home) = std::env::home_dir() else { return };
    let cookie = libpulse_cookie().map_or_else(random, Ok);
    if let Err(error) = cookie.and_then(|cookie| save(&home.join(".config/pulse"), &cookie)) {
        WARNED.call_once(|| warn!("sound: cannot create the sound server's cookie file: {error}"));
    }
}

/// The path of the cookie that libpulse reads. Unlike cpal, libpulse respects `$XDG_CONFIG_HOME`.
fn libpulse_cookie() -> Option<Vec<u8>> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")?;
    let cookie = files::read(&PathBuf::from(folder).join("pulse/cookie"), LENGTH as u64).ok()?;
    (cookie.len() == LENGTH).then_some(cookie)
}

fn random() -> io::Result<Vec<u8>> {
    let mut cookie = vec![0; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut cookie)?;
    Ok(cookie)
}

/// Writes the cookie file, either completely or not at all. Only its owner can read it. If another
/// program has just created the file, keeps that file.
fn save(folder: &Path, cookie: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(cookie)?;
    file.persist_noclobber(folder.join("cookie"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn cookies_are_private_and_never_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".config/pulse");
        let (cookie, another) = (random().unwrap(), random().unwrap());
        assert!(cookie.len() == LENGTH && cookie != another);
        save(&folder, &cookie).unwrap();
        assert_eq!(save(&folder, &another).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(folder.join("cookie")).unwrap(), cookie);
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.clone()), mode(folder.join("cookie"))), (0o700, 0o600));
    }
}
