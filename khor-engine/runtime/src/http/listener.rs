//! The listener: one that systemd passes, or one of our own.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    os::fd::FromRawFd,
    path::PathBuf,
    time::Duration,
};

use anyhow::Context;
use khor_config::Listen;
use khor_system::peer;
use tokio::{net::TcpListener, time::sleep};
use tracing::{error, warn};

use super::access::Access;

/// Between two attempts to take a port that is in use.
const BIND_RETRY: Duration = Duration::from_secs(2);

/// Where the listener is, and which clients it lets in.
pub struct HttpListener {
    address: SocketAddr,
    passed: Option<StdListener>,
    may_use_free_port: bool,
    access: Access,
}

impl HttpListener {
    /// A door at the configured address, or with the listener that systemd passes. With `may_move`
    /// the listener takes a free port if a program of another user holds the configured one.
    /// `sessions` is the file of the browsers' sessions. Call this once, before anything opens
    /// files.
    ///
    /// # Errors
    ///
    /// Other machines can reach the address and there is no token, or the token file is not usable.
    pub fn open(listen: &Listen, may_use_free_port: bool, sessions: PathBuf) -> anyhow::Result<Self> {
        let passed = systemd_listener();
        let address = match &passed {
            Some(listener) => listener.local_addr().context("the listener that systemd passed")?,
            None => SocketAddr::new(listen.host.parse().context("listen.host")?, listen.port),
        };
        let access = Access::open(listen, sessions, address.ip(), address.port())?;
        Ok(Self { address, passed, may_use_free_port, access })
    }

    /// Begins to listen. A port that is in use is tried again; sound doesn't wait for it.
    pub(super) async fn bind(self) -> (TcpListener, Access) {
        let passed = self.passed.and_then(|listener| {
            let taken = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            taken.inspect_err(|problem| warn!("the listener that systemd passed: {problem}")).ok()
        });
        let listener = match passed {
            Some(listener) => listener,
            None => bind_address(self.address, self.may_use_free_port).await,
        };
        let port = listener.local_addr().map_or(self.address.port(), |address| address.port());
        (listener, self.access.at_port(port))
    }
}

/// The listener passed to this process (`sd_listen_fds(3)`), if any.
fn systemd_listener() -> Option<StdListener> {
    let descriptor = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: by the protocol, the descriptor was opened for this process, and nothing else uses
    // it.
    let listener = unsafe { StdListener::from_raw_fd(descriptor) };
    match listener.local_addr() {
        Ok(_) => Some(listener),
        Err(problem) => {
            warn!("the socket systemd passed is no TCP listener ({problem}): making one");
            std::mem::forget(listener); // not ours after all
            None
        }
    }
}

async fn bind_address(address: SocketAddr, may_use_free_port: bool) -> TcpListener {
    let mut is_logged = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(problem) if problem.kind() == io::ErrorKind::AddrInUse && may_use_free_port => {
                if let Some(listener) = bind_free_port(address, is_logged).await {
                    return listener;
                }
                log_once(address, &problem, &mut is_logged);
            }
            Err(problem) => log_once(address, &problem, &mut is_logged),
        }
        sleep(BIND_RETRY).await;
    }
}

/// Listens on a free port if a program of another user holds the port of `address`. If a program
/// holds the port without listening, its user cannot be found. After a `retry` that program counts
/// as another user's.
async fn bind_free_port(address: SocketAddr, retry: bool) -> Option<TcpListener> {
    let holder = match peer::listener(address) {
        Some(uid) if peer::is_own(uid) => return None,
        Some(uid) => format!("user {uid}"),
        None if retry => "another user".to_owned(),
        None => return None,
    };
    let listener = TcpListener::bind(SocketAddr::new(address.ip(), 0)).await.ok()?;
    warn!("{address} is used by a program of {holder}; khor takes a free port: run khor open for its page");
    Some(listener)
}

/// Logs the first failure only.
fn log_once(address: SocketAddr, problem: &io::Error, is_logged: &mut bool) {
    if std::mem::replace(is_logged, true) {
        return;
    }
    let why = match problem.kind() {
        io::ErrorKind::PermissionDenied => "ports below 1024 are root's.",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address.",
        _ => "is another khor running there?",
    };
    error!(
        "the page can't be served at {address} ({problem}): {why} Choose another place with --listen; khor plays on and \
         keeps trying"
    );
}
