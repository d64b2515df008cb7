//! Publishes the address of the user's running engine in `$XDG_RUNTIME_DIR/khor/engine.json`.
//!
//! khor's commands and the desktop entry read this file to find the engine. Only the user can write
//! to its folder, so no other user can send the commands to another engine.

use std::{
    env, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process,
};

use khor_system::files;
use nix::unistd::Uid;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// Maximum size of an engine file that is read, in bytes.
const MAX_BYTES: u64 = 16 * 1024;

/// The published file of a running engine. Dropping this value deletes the file.
#[derive(Debug)]
pub struct EngineFile(PathBuf);

/// The content of the engine file, which is JSON.
#[derive(Debug, Deserialize, Serialize)]
struct Content {
    /// The address at which programs on this machine reach the API.
    address: SocketAddr,
    pid: u32,
    version: String,
    /// The engine's configuration file.
    config: PathBuf,
}

impl EngineFile {
    /// Writes the file for an engine that listens at `address`. Returns `None` if the user has no
    /// session (`XDG_RUNTIME_DIR` is unset) or if writing fails. Commands then use the configured
    /// address.
    pub fn publish(address: SocketAddr, config: &Path) -> Option<Self> {
        let path = path()?;
        let content = Content {
            address: reachable(address),
            pid: process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: absolute(config),
        };
        match write(&path, &content) {
            Ok(()) => Some(Self(path)),
            Err(problem) => {
                warn!(
                    "cannot write {}: {problem}; khor's commands use the configured address",
                    path.display()
                );
                None
            }
        }
    }
}

impl Drop for EngineFile {
    fn drop(&mut self) {
        // Keep the file if another engine of this user has replaced it.
        if read(&self.0).is_ok_and(|content| content.pid == process::id()) {
            fs::remove_file(&self.0).ok();
        }
    }
}

/// Returns the published address of the user's engine, if that engine uses the configuration file
/// `config`.
pub fn address(config: &Path) -> Option<SocketAddr> {
    let content = read(&path()?).ok()?;
    (content.config == absolute(config)).then_some(content.address)
}

/// Returns the address at which programs on this machine reach an engine that listens at `address`.
/// For an engine that listens on all addresses, this is the loopback address.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Returns the path of the file, or `None` if the user has no session.
fn path() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("XDG_RUNTIME_DIR")?);
    folder.is_absolute().then(|| folder.join("khor/engine.json"))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn read(path: &Path) -> io::Result<Content> {
    let owner = fs::metadata(path)?.uid();
    if owner != Uid::effective().as_raw() && owner != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file belongs to another user"));
    }
    serde_json::from_str(&files::read_text(path, MAX_BYTES)?).map_err(io::Error::other)
}

fn write(path: &Path, content: &Content) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let text = serde_json::to_vec(content).map_err(io::Error::other)?;
    files::replace(path, &text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_addresses_are_reached_on_loopback() {
        let reached = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:17321"), "127.0.0.1:17321");
        assert_eq!(reached("[::]:17321"), "[::1]:17321");
        assert_eq!(reached("192.0.2.1:1"), "192.0.2.1:1");
    }

    #[test]
    fn a_file_is_written_read_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("khor/engine.json");
        let content = Content {
            address: "127.0.0.1:17321".parse().unwrap(),
            pid: process::id(),
            version: "1".into(),
            config: "/home/u/.config/khor/config.json".into(),
        };
        write(&path, &content).unwrap();
        assert_eq!(fs::metadata(dir.path().join("khor")).unwrap().mode() & 0o777, 0o700);
        assert_eq!(read(&path).unwrap().address, content.address);
        write(&path, &Content { pid: 1, ..content }).unwrap();
        drop(EngineFile(path.clone()));
        assert!(path.exists(), "the file belongs to another engine");
        let own = Content { pid: process::id(), ..read(&path).unwrap() };
        write(&path, &own).unwrap();
        drop(EngineFile(path.clone()));
        assert!(!path.exists());
    }
}
