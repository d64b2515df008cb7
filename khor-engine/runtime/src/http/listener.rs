//! The listener of the API: a socket that systemd passes, or a socket that khor opens itself.

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

/// Time between two attempts to listen on a port that is in use.
const BIND_RETRY: Duration = Duration::from_secs(2);

/// The address of the listener, and the rules for the clients that it admits.
pub struct HttpListener {
    address: SocketAddr,
    passed: Option<StdListener>,
    may_use_free_port: bool,
    access: Access,
}

impl HttpListener {
    /// Prepares a listener: the socket that systemd passes, or else a socket at the configured
    /// address. If `may_use_free_port` is set and another user's program uses the configured port,
    /// the listener takes a free port. `sessions` is the path of the file with the browsers'
    /// sessions. Call this once, before khor opens any file, because systemd's socket has a fixed
    /// file descriptor.
    ///
    /// # Errors
    ///
    /// Fails if the token file is invalid, or if other machines can reach the address and there is
    /// no token.
    pub fn open(listen: &Listen, may_use_free_port: bool, sessions: PathBuf) -> anyhow::Result<Self> {
        let passed = systemd_listener();
        let address = match &passed {
            Some(listener) => listener.local_addr().context("the listener that systemd passed")?,
            None => SocketAddr::new(listen.host.parse().context("listen.host")?, listen.port),
        };
        let access = Access::open(listen, sessions, address.ip(), address.port())?;
        Ok(Self { address, passed, may_use_free_port, access })
    }

    /// Starts to listen. While the port is in use, khor retries and the music continues.
    pub(super) async fn bind(self) -> (TcpListener, Access) {
        let passed = self.passed.and_then(|listener| {
            let taken = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            taken.inspect_err(|problem| warn!("cannot use the socket that systemd passed: {problem}")).ok()
        });
        let listener = match passed {
            Some(listener) => listener,
            None => bind_address(self.address, self.may_use_free_port).await,
        };
        let port = listener.local_addr().map_or(self.address.port(), |address| address.port());
        (listener, self.access.at_port(port))
    }
}

/// Returns the listener that systemd passed to this process (`sd_listen_fds(3)`), if there is one.
fn systemd_listener() -> Option<StdListener> {
    let descriptor = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: systemd's protocol guarantees that the descriptor was opened for this process, and
    // that no other code uses it.
    let listener = unsafe { StdListener::from_raw_fd(descriptor) };
    match listener.local_addr() {
        Ok(_) => Some(listener),
        Err(problem) => {
            warn!("the socket that systemd passed is not a TCP listener ({problem}); khor opens its own");
            std::mem::forget(listener); // the descriptor may belong to other code
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

/// Listens on a free port if a program of another user uses the port of `address`. If that program
/// does not listen yet, khor cannot find out its user. If this is a `retry`, khor assumes that the
/// port belongs to another user's program.
async fn bind_free_port(address: SocketAddr, retry: bool) -> Option<TcpListener> {
    let holder = match peer::listener(address) {
        Some(uid) if peer::is_own(uid) => return None,
        Some(uid) => format!("user {uid}"),
        None if retry => "another user".to_owned(),
        None => return None,
    };
    let listener = TcpListener::bind(SocketAddr::new(address.ip(), 0)).await.ok()?;
    warn!("a program of {holder} uses {address}; khor takes a free port: run khor open to open the page");
    Some(listener)
}

/// Logs the first failure only.
fn log_once(address: SocketAddr, problem: &io::Error, is_logged: &mut bool) {
    if std::mem::replace(is_logged, true) {
        return;
    }
    let why = match problem.kind() {
        io::ErrorKind::PermissionDenied => "only root can listen on ports below 1024",
        io::ErrorKind::AddrNotAvailable => "this machine does not have this address",
        _ => "another khor may be running",
    };
    error!(
        "cannot serve the page at {address} ({problem}): {why}; set another address with --listen; the music plays, and khor retries every 2 s"
    );
}
