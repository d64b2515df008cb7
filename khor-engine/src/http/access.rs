//! Who is let in beyond this machine: the hosts this listener answers for, and the token that requests carry.
//!
//! The token is asked for wherever `listen.token_file` names one, also on loopback: behind a reverse proxy every
//! request comes from there. The page itself is served without it, so that it can ask for it.

use std::{fs, io, net::IpAddr, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use warp::{
    Filter, Rejection,
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
    path::FullPath,
    reject,
    reply::Response,
};

use super::{
    call::Call,
    reply::Failure,
    seldom::Seldom,
    table::{Answer, Content, Done, Json, Operation, post},
};
use crate::{config::Listen, files};

/// Shortest token, characters.
const LEAST_TOKEN_CHARS: usize = 32;
/// How long a browser keeps the token, seconds: a year.
const COOKIE_AGE_S: u32 = 365 * 24 * 3600;
/// Largest token file that is read, bytes.
const MAX_BYTES: u64 = 4096;
const COOKIE: &str = "khor_token";
/// Where the token is handed in, so it can't be asked for.
const LOGIN: &str = "/api/login";

/// Whom the listener lets in.
#[derive(Clone)]
pub(super) struct Access {
    token: Option<Arc<str>>,
    /// Names of this listener beside its addresses, in lower case.
    hosts: Arc<[String]>,
    /// Whether other machines can reach it.
    beyond_loopback: bool,
    port: u16,
    /// Wrong tokens were handed in.
    guessed: Arc<Seldom>,
}

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Other machines could listen and steer.
    #[error(
        "listen.host: {ip} can be reached from other machines, which needs a token: make one with `{}` and set \
         listen.token_file to that file; or listen on 127.0.0.1 and forward the port: ssh -L 17321:127.0.0.1:17321 HOST",
        make(Path::new("~/.config/khor/token"))
    )]
    NoToken {
        /// Where it was to listen.
        ip: IpAddr,
    },
    /// The file can't be read.
    #[error("listen.token_file: {path}: {cause}; make one with `{}`", make(Path::new(path)))]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// Others could read it, or change it.
    #[error("listen.token_file: other users may read or change {0}: chmod 600 {0}")]
    Open(String),
    /// It could be guessed, or not be sent.
    #[error(
        "listen.token_file: {path} must hold one line of at least 32 letters, digits or any of -._~+/=; make one with `{}`",
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

/// A request came without the token: 401.
#[derive(Debug)]
pub(super) struct NoToken;
impl reject::Reject for NoToken {}

impl NoToken {
    pub(super) const SAID: &'static str =
        "the token is missing or wrong: send Authorization: Bearer TOKEN, or log in with POST /api/login";
}

impl Access {
    /// Reads the token. `ip` and `port` are those of the listener.
    pub(super) fn open(listen: &Listen, ip: IpAddr, port: u16) -> Result<Self, AccessError> {
        let token = listen.token_file.as_deref().map(read_token).transpose()?;
        let beyond_loopback = !ip.is_loopback();
        if beyond_loopback && token.is_none() {
            return Err(AccessError::NoToken { ip });
        }
        let hosts = listen.allowed_hosts.iter().map(|host| rootless(host).to_ascii_lowercase()).collect();
        Ok(Self { token, hosts, beyond_loopback, port, guessed: Arc::default() })
    }

    /// The same on another port, once that is known.
    pub(super) fn at_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Whether `authority` names this listener. DNS rebinding affects names, but not addresses. A
    /// dot at the end of a name stands for the DNS root and changes nothing (RFC 1034).
    pub(super) fn is_ours(&self, authority: &Authority) -> bool {
        self.is_address(authority) || self.is_named(authority)
    }

    fn is_address(&self, authority: &Authority) -> bool {
        let host = rootless(authority.host()).trim_start_matches('[').trim_end_matches(']');
        let ip = host.parse::<IpAddr>();
        let fits = host.eq_ignore_ascii_case("localhost")
            || ip.is_ok_and(|ip| ip.is_loopback() || self.beyond_loopback);
        fits && authority.port_u16().unwrap_or(80) == self.port
    }

    /// Whether it is one of `listen.allowed_hosts`, which name a port or stand for any.
    pub(super) fn is_named(&self, authority: &Authority) -> bool {
        let host = rootless(authority.host()).to_ascii_lowercase();
        let whole = authority.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        self.hosts.iter().any(|named| *named == host || *named == whole)
    }

    /// Passes requests that carry the token, where one is needed.
    pub(super) fn filter(&self) -> impl Filter<Extract = (), Error = Rejection> + Clone + use<> {
        let access = self.clone();
        warp::path::full()
            .and(warp::header::headers_cloned())
            .and_then(move |path: FullPath, headers: HeaderMap| {
                let free = is_free(path.as_str()) || access.token.is_none();
                let passed = free || given(&headers).any(|given| access.is_token(given));
                async move { if passed { Ok(()) } else { Err(reject::custom(NoToken)) } }
            })
            .untuple_one()
    }

    fn is_token(&self, given: &str) -> bool {
        self.token.as_deref().is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into())
    }
}

/// Removes the dot at the end of a host name.
fn rootless(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Whether a path is answered without a token: the page, which asks for it, and where it is handed in.
fn is_free(path: &str) -> bool {
    let is_page = path != "/metrics" && path != "/api" && !path.starts_with("/api/");
    is_page || path == LOGIN
}

/// The tokens a request carries.
fn given(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = headers
        .get_all(header::AUTHORIZATION)
        .into_iter()
        .filter_map(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    bearer.chain(cookies)
}

/// Reads a token and checks that nobody else can.
pub(crate) fn read_token(path: &Path) -> Result<Arc<str>, AccessError> {
    let shown = || path.display().to_string();
    let read = || -> io::Result<_> {
        let text = files::read_text(path, MAX_BYTES)?;
        Ok((fs::metadata(path)?.permissions().mode(), text))
    };
    let (mode, text) = read().map_err(|cause| AccessError::Unreadable { path: shown(), cause })?;
    if mode & 0o027 != 0 {
        return Err(AccessError::Open(shown()));
    }
    let token = text.trim();
    let fit = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if token.len() < LEAST_TOKEN_CHARS || !token.chars().all(fit) {
        return Err(AccessError::Unfit { path: shown() });
    }
    Ok(token.into())
}

/// What is handed in.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Login {
    /// The token in the file that `listen.token_file` names.
    token: String,
    /// The path of the cookie: where a proxy serves the page, such as `/khor/`. The default is the
    /// whole host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Logged in; the browser is given the token as a cookie that no script can read.
struct LoggedIn(Option<String>);

impl Answer for LoggedIn {
    const CONTENT: Content = Json::<Done>::CONTENT;

    fn into_response(self) -> Response {
        let mut response = Done::JSON.into_response();
        if let Some(cookie) = self.0.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// `POST /api/login`.
pub(super) fn operation() -> Operation {
    post(LOGIN, "Hand in the token; the answer sets the cookie khor_token").reads::<Login>().at_once(login)
}

/// Whether a cookie can contain the path as it is, without another attribute.
fn is_cookie_path(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte))
}

fn login(call: Call) -> Result<LoggedIn, Failure> {
    let Login { token, path } = serde_json::from_value(call.json()?)
        .map_err(|_| Failure::bad("token: expected {\"token\": \"…\"}"))?;
    let path = path.as_deref().unwrap_or("/");
    if !is_cookie_path(path) {
        return Err(Failure::bad(
            "path: expected a path of letters, digits, - . _ ~ % and slashes, such as /khor/",
        ));
    }
    let access = &call.desk.access;
    if access.token.is_none() {
        return Ok(LoggedIn(None));
    }
    if !access.is_token(&token) {
        if access.guessed.is_due() {
            tracing::warn!("a login with a wrong token was refused");
        }
        return Err(Failure::new(StatusCode::UNAUTHORIZED, NoToken::SAID));
    }
    // Behind a proxy that speaks TLS, and never in the clear again.
    let secure = if call.header("origin").is_some_and(|origin| origin.starts_with("https://")) {
        "; Secure"
    } else {
        ""
    };
    Ok(LoggedIn(Some(format!(
        "{COOKIE}={token}; HttpOnly; SameSite=Strict; Path={path}; Max-Age={COOKIE_AGE_S}{secure}"
    ))))
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789ABCDE+/=";

    /// Loopback, as it is by default.
    pub(in crate::http) fn loopback(port: u16) -> Access {
        Access::open(&Listen::default(), Ipv4Addr::LOCALHOST.into(), port).unwrap()
    }

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, Listen) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let allowed_hosts = vec!["Khor.example".into(), "studio.local:8443".into()];
        (dir, Listen { token_file: Some(path), allowed_hosts, ..Listen::default() })
    }

    fn beyond() -> (tempfile::TempDir, Access) {
        let (dir, listen) = file(&format!("{TOKEN}\n"), 0o600);
        let access = Access::open(&listen, Ipv4Addr::UNSPECIFIED.into(), 17321).unwrap();
        (dir, access)
    }

    #[test]
    fn beyond_loopback_a_token_is_needed_and_the_fix_is_said() {
        let any: IpAddr = Ipv6Addr::UNSPECIFIED.into();
        let said = |listen: &Listen| Access::open(listen, any, 17321).err().map(|error| error.to_string());
        let error = said(&Listen::default()).unwrap();
        assert!(error.contains("umask 077; head -c 32 /dev/urandom") && error.contains("ssh -L"), "{error}");
        let (_dir, listen) = file(TOKEN, 0o644);
        assert!(said(&listen).unwrap().contains("chmod 600 /"));
        for unfit in ["short", &format!("{TOKEN} {TOKEN}"), &format!("{TOKEN};"), ""] {
            let (_dir, listen) = file(unfit, 0o600);
            let error = said(&listen).unwrap();
            assert!(error.contains("at least 32") && !error.contains(TOKEN), "{error}");
        }
        let nowhere = Listen { token_file: Some("/nonexistent/token".into()), ..Listen::default() };
        assert!(said(&nowhere).unwrap().contains("> /nonexistent/token"));
        let (_dir, listen) = file(TOKEN, 0o640);
        assert_eq!(said(&listen), None, "a group may read it");
    }

    #[test]
    fn it_answers_for_its_addresses_and_for_the_names_it_is_given() {
        let (_dir, access) = beyond();
        let ours = |host: &str| access.is_ours(&host.parse().unwrap());
        for host in [
            "192.168.1.7:17321",
            "[fe80::1]:17321",
            "127.0.0.1:17321",
            "khor.EXAMPLE",
            "khor.example:443",
            "studio.local:8443",
            "192.168.1.7.:17321",
            "localhost.:17321",
            "khor.example.",
            "Khor.Example.:443",
            "studio.local.:8443",
        ] {
            assert!(ours(host), "{host}");
        }
        for host in [
            "192.168.1.7:80",
            "evil.example:17321",
            "studio.local",
            "studio.local:17321",
            "a.khor.example",
            "khor.example..",
            "localhost..:17321",
        ] {
            assert!(!ours(host), "{host}");
        }
        assert!(!loopback(17321).is_ours(&"192.168.1.7:17321".parse().unwrap()));
    }

    #[test]
    fn a_cookie_path_must_be_plain() {
        for path in ["/", "/khor/", "/a/b-c/~x.y/%20/"] {
            assert!(is_cookie_path(path), "{path}");
        }
        for path in ["", "khor/", "/khor; Domain=example", "/khor\r\nset-cookie: a", "/kh\u{f6}r/"] {
            assert!(!is_cookie_path(path), "{path}");
        }
    }

    #[tokio::test]
    async fn the_token_opens_the_api_and_the_page_is_open() {
        let (_dir, access) = beyond();
        let filter = access.filter();
        let asked = |path: &str| warp::test::request().path(path);
        for path in ["/", "/assets/index.js", LOGIN] {
            assert!(asked(path).matches(&filter).await, "{path}");
        }
        for path in ["/api/health", "/api/stream", "/metrics", "/api", "/api/login/x"] {
            assert!(!asked(path).matches(&filter).await, "{path}");
        }
        let bearer = |token: &str| asked("/api/health").header("authorization", format!("Bearer {token}"));
        let cookie = |token: &str| asked("/api/health").header("cookie", format!("a=b; khor_token={token}"));
        assert!(bearer(TOKEN).matches(&filter).await && cookie(TOKEN).matches(&filter).await);
        for wrong in ["", &TOKEN[1..], &format!("{TOKEN}x"), "0123456789abcdef0123456789ABCDE+/-"] {
            assert!(!bearer(wrong).matches(&filter).await, "{wrong}");
            assert!(!cookie(wrong).matches(&filter).await, "{wrong}");
        }
    }
}
