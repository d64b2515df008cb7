//! The sessions of browsers that have logged in with the token.
//!
//! A browser stores a random session id in a cookie, but never the token. Browsers send a cookie to
//! every port of a host, so a program of another user may receive it. A session is therefore valid
//! only for the kind of client that logged in. The session file contains only hashes of the ids. A
//! new token ends all sessions.

use std::{
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use khor_system::{files, peer::Peer};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tracing::warn;

/// How long a session lasts, in seconds: thirty days.
pub(in crate::http) const LIFE_S: u64 = 30 * 24 * 3600;
/// Maximum number of sessions. A further session replaces the oldest one.
const MAX_SESSIONS: usize = 32;
/// Number of random bytes in a session id.
const ID_BYTES: usize = 32;
/// Maximum size of a session file that khor reads, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

pub(in crate::http) struct Sessions {
    path: PathBuf,
    held: Mutex<SessionFile>,
}

/// The content of the session file.
#[derive(Default, Deserialize, Serialize)]
struct SessionFile {
    /// Hash of the token that opened the sessions.
    token: String,
    /// The sessions, oldest first.
    sessions: Vec<Session>,
}

#[derive(Deserialize, Serialize)]
struct Session {
    /// Hash of the session id. The id itself is not stored.
    id: String,
    /// Kind of the client that logged in: see [`kind`].
    client: String,
    /// When the session ends, in seconds since 1970.
    until_ts_s: u64,
}

impl Sessions {
    /// Reads the sessions of this token from the file at `path`. Returns no sessions if the file is
    /// missing or invalid.
    pub(super) fn read(path: PathBuf, token: &str) -> Self {
        let token = hash(token);
        let held = read(&path).unwrap_or_else(|problem| {
            if problem.kind() != io::ErrorKind::NotFound {
                warn!("cannot read {}: {problem}; browsers must log in again", path.display());
            }
            SessionFile::default()
        });
        let sessions = if held.token == token { held.sessions } else { Vec::new() };
        Self { path, held: Mutex::new(SessionFile { token, sessions }) }
    }

    /// Opens a session and returns its id. Waits for the disk.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub(in crate::http) fn open(&self, peer: Peer) -> io::Result<String> {
        let mut random = [0; ID_BYTES];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let id = hex(&random);
        // If the file cannot be written, the session lasts until khor ends.
        self.change(|sessions| {
            let excess = (sessions.len() + 1).saturating_sub(MAX_SESSIONS);
            sessions.drain(..excess);
            sessions.push(Session { id: hash(&id), client: kind(peer), until_ts_s: now_s() + LIFE_S });
        })
        .ok();
        Ok(id)
    }

    /// Returns whether `peer` may use the session with this id.
    pub(super) fn is_valid(&self, id: &str, peer: Peer) -> bool {
        let (id, client, now_s) = (hash(id), kind(peer), now_s());
        let held = self.held.lock();
        held.sessions.iter().any(|session| {
            bool::from(session.id.as_bytes().ct_eq(id.as_bytes()))
                && session.client == client
                && now_s < session.until_ts_s
        })
    }

    /// Ends the session with this id. Waits for the disk.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written. The session then becomes valid again when khor
    /// restarts.
    pub(in crate::http) fn end(&self, id: &str) -> io::Result<()> {
        let id = hash(id);
        self.change(|sessions| sessions.retain(|session| session.id != id))
    }

    /// Ends every session. Waits for the disk.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written. The sessions then become valid again when khor
    /// restarts.
    pub(in crate::http) fn end_all(&self) -> io::Result<()> {
        self.change(Vec::clear)
    }

    /// Changes the sessions and writes the file. If the file cannot be written, the change lasts
    /// until khor ends.
    fn change(&self, change: impl FnOnce(&mut Vec<Session>)) -> io::Result<()> {
        let mut held = self.held.lock();
        let now_s = now_s();
        held.sessions.retain(|session| now_s < session.until_ts_s);
        change(&mut held.sessions);
        write(&self.path, &held).inspect_err(|problem| {
            warn!(
                "cannot write {}: {problem}; logins and logouts of browsers are lost when khor ends",
                self.path.display()
            );
        })
    }
}

/// Returns the kind of client that may use a session: one user of this machine, or any client on
/// another machine. The IP address is ignored, because the address of a laptop may change.
fn kind(peer: Peer) -> String {
    match peer {
        Peer::User(uid) => format!("user {uid}"),
        Peer::Unknown => "unknown".to_owned(),
        Peer::Remote(_) => "remote".to_owned(),
    }
}

fn read(path: &Path) -> io::Result<SessionFile> {
    let text = files::read_text(path, MAX_FILE_BYTES)?;
    serde_json::from_str(&text).map_err(|_| io::Error::other("its content is not a list of sessions"))
}

fn write(path: &Path, held: &SessionFile) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_vec(held).map_err(io::Error::other)?;
    files::replace(path, &text).map(drop)
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt};

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const ALICE: Peer = Peer::User(1000);
    const REMOTE: Peer = Peer::Remote(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

    fn fixture() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/sessions.json");
        (dir, path)
    }

    #[test]
    fn sessions_are_bound_to_their_client() {
        let (_dir, path) = fixture();
        let sessions = Sessions::read(path, TOKEN);
        let (local, remote) = (sessions.open(ALICE).unwrap(), sessions.open(REMOTE).unwrap());
        assert!(sessions.is_valid(&local, ALICE) && sessions.is_valid(&remote, REMOTE));
        for other in [Peer::User(65534), Peer::User(0), Peer::Unknown, REMOTE] {
            assert!(!sessions.is_valid(&local, other), "{other:?}");
        }
        assert!(!sessions.is_valid(&remote, ALICE) && !sessions.is_valid("", ALICE));
        assert!(!sessions.is_valid(TOKEN, ALICE) && !sessions.is_valid(&local.to_uppercase(), ALICE));
    }

    #[test]
    fn a_new_token_ends_all_sessions() {
        let (_dir, path) = fixture();
        let id = Sessions::read(path.clone(), TOKEN).open(ALICE).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&id) && !text.contains(TOKEN), "{text}");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o077,
            0,
            "other users must not be able to read the file"
        );
        assert!(Sessions::read(path.clone(), TOKEN).is_valid(&id, ALICE));
        assert!(!Sessions::read(path.clone(), "another token of 32 characters..").is_valid(&id, ALICE));
        fs::write(&path, "{").unwrap();
        assert!(!Sessions::read(path, TOKEN).is_valid(&id, ALICE));
    }

    #[test]
    fn ended_and_expired_sessions_are_invalid() {
        let (_dir, path) = fixture();
        let sessions = Sessions::read(path.clone(), TOKEN);
        let [first, second, third] = [(); 3].map(|()| sessions.open(ALICE).unwrap());
        sessions.end(&first).unwrap();
        assert!(!sessions.is_valid(&first, ALICE) && sessions.is_valid(&second, ALICE));
        sessions.held.lock().sessions[0].until_ts_s = now_s();
        assert!(!sessions.is_valid(&second, ALICE) && sessions.is_valid(&third, ALICE));
        sessions.end_all().unwrap();
        assert!(!sessions.is_valid(&third, ALICE) && !Sessions::read(path, TOKEN).is_valid(&third, ALICE));
    }

    #[test]
    fn an_unsaved_logout_is_an_error() {
        let (dir, _) = fixture();
        let folder = dir.path().join("sessions.json");
        fs::create_dir(&folder).unwrap();
        let sessions = Sessions::read(folder, TOKEN);
        let id = sessions.open(ALICE).unwrap();
        assert!(sessions.is_valid(&id, ALICE));
        assert!(sessions.end(&id).is_err() && !sessions.is_valid(&id, ALICE));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let (_dir, path) = fixture();
        let sessions = Sessions::read(path, TOKEN);
        let ids: Vec<String> = (0..=MAX_SESSIONS).map(|_| sessions.open(ALICE).unwrap()).collect();
        let valid = ids.iter().filter(|id| sessions.is_valid(id, ALICE)).count();
        assert_eq!((valid, sessions.is_valid(&ids[0], ALICE)), (MAX_SESSIONS, false));
    }
}
