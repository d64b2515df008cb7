//! Decides which clients may use the API.
//!
//! Without a token file, khor serves its own user and root on this machine. With
//! `listen.local_users`, khor serves every user of this machine. With `listen.token_file`, every
//! client needs the token or a session. This includes clients on loopback, because the requests of
//! a reverse proxy come from loopback. khor serves the page's files to all clients, so that users
//! can enter the token on the page.

mod names;
mod sessions;
mod token;

pub(super) use self::names::Names;
pub(super) use self::sessions::LIFE_S;
pub use self::token::AccessError;
pub use self::token::read_token;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use khor_config::Listen;
use khor_http::ConnectionSlot;
use khor_log::RateLimit;
use khor_system::peer::Peer;
use nix::unistd::Uid;
use subtle::ConstantTimeEq;
use warp::{
    Filter, Rejection,
    http::{HeaderMap, header},
    path::FullPath,
    reject,
};

use self::sessions::Sessions;

/// Shortest time between two log records about a wrong token.
const WRONG_TOKEN_LOG_INTERVAL: Duration = Duration::from_mins(1);
/// The path of the login operation. A login needs no token in its headers, because its body
/// contains the token.
pub(super) const LOGIN: &str = "/api/login";
/// First part of the name of the session cookie. The port follows, because browsers send a cookie
/// to every port of a host, and each engine needs its own cookie.
const COOKIE: &str = "khor_session_";

/// Which clients a listener admits.
#[derive(Clone)]
pub(super) struct Access {
    /// The token and its sessions. `None` if there is no token file.
    pub(super) credentials: Option<Arc<Credentials>>,
    /// Whether the listener admits all users of this machine.
    local_users: bool,
    names: Names,
    /// Limits how often wrong tokens are logged.
    pub(super) wrong_token_log: Arc<RateLimit>,
}

/// The token, and the sessions that clients opened with it.
pub(super) struct Credentials {
    token: Arc<str>,
    pub(super) sessions: Sessions,
}

impl Credentials {
    pub(super) fn is_token(&self, given: &str) -> bool {
        self.token.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// Why khor rejects a client with status 401.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Denied {
    /// The token is missing or wrong.
    #[error(
        "the token is missing or wrong: send Authorization: Bearer TOKEN, or log in with POST /api/login"
    )]
    NoToken,
    /// The client is a program of another user of this machine.
    #[error(
        "this engine serves only user {own} and root, but this program runs as user {other}: set listen.token_file or \
         listen.local_users in the engine's configuration file, and restart the engine",
        own = Uid::effective()
    )]
    OtherUser {
        /// The other user.
        other: u32,
    },
    /// The client is a program whose user khor cannot determine.
    #[error(
        "this engine serves only user {own} and root, but cannot find the user of this program: set listen.token_file \
         or listen.local_users in the engine's configuration file, and restart the engine",
        own = Uid::effective()
    )]
    UnknownUser,
}
impl reject::Reject for Denied {}

impl Access {
    /// Reads the token file, and reads the sessions from the file `sessions`. `ip` and `port` are
    /// the listener's address.
    pub(super) fn open(
        listen: &Listen,
        sessions: PathBuf,
        ip: IpAddr,
        port: u16,
    ) -> Result<Self, AccessError> {
        let credentials =
            listen.token_file.as_deref().map(|path| open_credentials(path, sessions)).transpose()?;
        let beyond_loopback = !ip.is_loopback();
        if beyond_loopback && credentials.is_none() {
            return Err(AccessError::NoToken { ip });
        }
        let names = Names::new(&listen.allowed_hosts, beyond_loopback, port);
        Ok(Self {
            credentials,
            local_users: listen.local_users,
            names,
            wrong_token_log: Arc::new(RateLimit::new(1, WRONG_TOKEN_LOG_INTERVAL)),
        })
    }

    /// Replaces the configured port by the port on which the listener actually listens.
    pub(super) fn at_port(self, port: u16) -> Self {
        Self { names: self.names.at_port(port), ..self }
    }

    /// The names and addresses under which clients may reach the listener.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// Creates a filter that passes the requests of admitted clients. It marks their connections as
    /// admitted, so that they no longer count against the limit for unknown clients.
    pub(super) fn filter(&self) -> impl Filter<Extract = (), Error = Rejection> + Clone + use<> {
        let access = self.clone();
        warp::path::full()
            .and(warp::header::headers_cloned())
            .and(warp::ext::optional::<Arc<ConnectionSlot>>())
            .and_then(move |path: FullPath, headers: HeaderMap, slot: Option<Arc<ConnectionSlot>>| {
                let verdict = access.check(path.as_str(), &headers, slot.as_deref());
                async move { verdict.map_err(reject::custom) }
            })
            .untuple_one()
    }

    fn check(&self, path: &str, headers: &HeaderMap, slot: Option<&ConnectionSlot>) -> Result<(), Denied> {
        if is_public(path) {
            return Ok(());
        }
        let peer = slot.map_or(Peer::Unknown, ConnectionSlot::peer);
        match &self.credentials {
            Some(credentials) => {
                let has_token = bearer(headers).any(|given| credentials.is_token(given));
                let has_session =
                    || self.session_ids(headers).any(|id| credentials.sessions.is_valid(id, peer));
                if !has_token && !has_session() {
                    return Err(Denied::NoToken);
                }
            }
            None => self.check_peer(peer)?,
        }
        if let Some(slot) = slot {
            slot.mark_admitted();
        }
        Ok(())
    }

    /// Checks that the peer may use the API without a token.
    pub(super) fn check_peer(&self, peer: Peer) -> Result<(), Denied> {
        match peer {
            _ if peer.is_owner() => Ok(()),
            Peer::User(_) | Peer::Unknown if self.local_users => Ok(()),
            Peer::User(other) => Err(Denied::OtherUser { other }),
            Peer::Unknown => Err(Denied::UnknownUser),
            Peer::Remote(_) => Err(Denied::NoToken),
        }
    }

    pub(super) fn cookie_name(&self) -> String {
        format!("{COOKIE}{}", self.names.port())
    }

    /// Finds the session ids for this engine in the cookies of a request.
    pub(super) fn session_ids<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let name = self.cookie_name();
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(move |cookie| cookie.trim().strip_prefix(&name)?.strip_prefix('='))
    }
}

fn open_credentials(path: &Path, sessions: PathBuf) -> Result<Arc<Credentials>, AccessError> {
    let token = read_token(path)?;
    let sessions = Sessions::read(sessions, &token);
    Ok(Arc::new(Credentials { token, sessions }))
}

/// Returns whether a path is part of the API, which only admitted clients may use.
pub(super) fn is_api(path: &str) -> bool {
    path == "/metrics" || path == "/api" || path.starts_with("/api/")
}

/// Returns whether khor serves a path to every client. This applies to the page's files and to the
/// login.
fn is_public(path: &str) -> bool {
    !is_api(path) || path == LOGIN
}

/// Returns the bearer tokens in the headers of a request.
fn bearer(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::AUTHORIZATION).into_iter();
    values.filter_map(|value| value.to_str().ok()?.strip_prefix("Bearer "))
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        fs,
        net::{Ipv4Addr, Ipv6Addr},
        os::unix::fs::PermissionsExt,
    };

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789ABCDE+/=";
    const REMOTE: Peer = Peer::Remote(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

    fn own() -> Peer {
        Peer::User(Uid::effective().as_raw())
    }

    /// Creates the access rules of a listener on loopback with the default configuration.
    pub(in crate::http) fn loopback(port: u16) -> Access {
        Access::open(&Listen::default(), "/nonexistent".into(), Ipv4Addr::LOCALHOST.into(), port).unwrap()
    }

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, Listen) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, Listen { token_file: Some(path), ..Listen::default() })
    }

    fn beyond() -> (tempfile::TempDir, Access) {
        let (dir, listen) = file(&format!("{TOKEN}\n"), 0o600);
        let sessions = dir.path().join("sessions.json");
        let access = Access::open(&listen, sessions, Ipv4Addr::UNSPECIFIED.into(), 17321).unwrap();
        (dir, access)
    }

    #[test]
    fn remote_listeners_need_a_token() {
        let any: IpAddr = Ipv6Addr::UNSPECIFIED.into();
        let message = |listen: &Listen| {
            Access::open(listen, "/nonexistent".into(), any, 17321).err().map(|error| error.to_string())
        };
        let error = message(&Listen::default()).unwrap();
        assert!(error.contains("umask 077; head -c 32 /dev/urandom") && error.contains("ssh -L"), "{error}");
        let (_dir, listen) = file(TOKEN, 0o644);
        assert!(message(&listen).unwrap().contains("chmod 600 /"));
        for unfit in ["short", &format!("{TOKEN} {TOKEN}"), &format!("{TOKEN};"), ""] {
            let (_dir, listen) = file(unfit, 0o600);
            let error = message(&listen).unwrap();
            assert!(error.contains("at least 32") && !error.contains(TOKEN), "{error}");
        }
        let nowhere = Listen { token_file: Some("/nonexistent/token".into()), ..Listen::default() };
        assert!(message(&nowhere).unwrap().contains("> /nonexistent/token"));
        let (_dir, listen) = file(TOKEN, 0o640);
        assert_eq!(message(&listen), None, "the group may read the token file");
    }

    /// Returns whether the filter passes a request for the path with these headers.
    async fn is_admitted(access: &Access, peer: Peer, path: &str, headers: &[(&str, String)]) -> bool {
        let mut request = warp::test::request().path(path).extension(ConnectionSlot::of(peer));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.matches(&access.filter()).await
    }

    #[tokio::test]
    async fn owner_and_root_need_no_token() {
        let mut access = loopback(17321);
        for peer in [own(), Peer::User(0)] {
            assert!(is_admitted(&access, peer, "/api/health", &[]).await, "{peer:?}");
        }
        let others = [Peer::User(4_294_967_294), Peer::Unknown, REMOTE];
        for peer in others {
            assert!(!is_admitted(&access, peer, "/api/health", &[]).await, "{peer:?}");
            assert!(!is_admitted(&access, peer, "/metrics", &[]).await, "{peer:?}");
            assert!(is_admitted(&access, peer, "/", &[]).await, "the page of {peer:?}");
        }
        access.local_users = true;
        for (peer, expected) in others.into_iter().zip([true, true, false]) {
            assert_eq!(is_admitted(&access, peer, "/api/health", &[]).await, expected, "{peer:?}");
        }
        assert!(!warp::test::request().path("/api/health").matches(&loopback(1).filter()).await);
    }

    #[tokio::test]
    async fn the_api_needs_the_token() {
        let (_dir, access) = beyond();
        for path in ["/", "/assets/index.js", LOGIN] {
            assert!(is_admitted(&access, REMOTE, path, &[]).await, "{path}");
        }
        for path in ["/api/health", "/api/stream", "/metrics", "/api", "/api/login/x", "/api/logout"] {
            for peer in [own(), Peer::User(0), REMOTE] {
                assert!(!is_admitted(&access, peer, path, &[]).await, "{path}");
            }
        }
        let bearer = |token: &str| [("authorization", format!("Bearer {token}"))];
        let cookie = |value: &str| [("cookie", format!("a=b; khor_session_17321={value}"))];
        for peer in [own(), Peer::User(4_294_967_294), Peer::Unknown, REMOTE] {
            assert!(is_admitted(&access, peer, "/api/health", &bearer(TOKEN)).await);
            assert!(
                !is_admitted(&access, peer, "/api/health", &cookie(TOKEN)).await,
                "the token is not a session id"
            );
        }
        for wrong in ["", &TOKEN[1..], &format!("{TOKEN}x"), "0123456789abcdef0123456789ABCDE+/-"] {
            assert!(!is_admitted(&access, REMOTE, "/api/health", &bearer(wrong)).await, "{wrong}");
        }
    }

    #[tokio::test]
    async fn sessions_open_their_own_engine_only() {
        let (_dir, access) = beyond();
        let id = access.credentials.as_ref().unwrap().sessions.open(REMOTE).unwrap();
        let cookie = |port: u16| [("cookie", format!("a=b; khor_session_{port}={id}"))];
        assert!(is_admitted(&access, REMOTE, "/api/health", &cookie(17321)).await);
        assert!(
            !is_admitted(&access, own(), "/api/health", &cookie(17321)).await,
            "a session is valid only for its kind of client"
        );
        assert!(
            !is_admitted(&access, REMOTE, "/api/health", &cookie(17322)).await,
            "a session is valid only at its engine"
        );
    }
}
