//! The listener: one that systemd passes, or one of our own.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    os::fd::FromRawFd,
    time::Duration,
};

use anyhow::Context;
use tokio::{net::TcpListener, time::sleep};
use tracing::{error, warn};

use super::access::Access;
use crate::config::Listen;

/// Between two attempts to take a port that is in use.
const BIND_RETRY: Duration = Duration::from_secs(2);

/// Where the listener is, and whom it lets in.
pub struct Door {
    address: SocketAddr,
    passed: Option<StdListener>,
    access: Access,
}

impl Door {
    /// Where the configuration says, unless systemd passes a listener. Fails where other machines could come in and no
    /// token keeps them out. Call once, before anything opens files.
    pub fn open(listen: &Listen) -> anyhow::Result<Self> {
        let passed = passed();
        let address = match &passed {
            Some(listener) => listener.local_addr().context("the listener that systemd passed")?,
            None => SocketAddr::new(listen.host.parse().context("listen.host")?, listen.port),
        };
        let access = Access::open(listen, address.ip(), address.port())?;
        Ok(Self { address, passed, access })
    }

    /// Begins to listen. A port that is in use is tried again; sound doesn't wait for it.
    pub(super) async fn listen(self) -> (TcpListener, Access) {
        let passed = self.passed.and_then(|listener| {
            let taken = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
            taken.inspect_err(|problem| warn!("the listener that systemd passed: {problem}")).ok()
        });
        let listener = match passed {
            Some(listener) => listener,
            None => bind(self.address).await,
        };
        let port = listener.local_addr().map_or(self.address.port(), |address| address.port());
        (listener, self.access.at_port(port))
    }
}

/// The listener passed to this process (`sd_listen_fds(3)`), if any.
fn passed() -> Option<StdListener> {
    let descriptor = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: by the protocol, the descriptor was opened for this process and nobody else uses it.
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

async fn bind(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(problem) if !told => {
                told = true;
                let why = match problem.kind() {
                    io::ErrorKind::PermissionDenied => "ports below 1024 are root's.",
                    io::ErrorKind::AddrNotAvailable => "this machine has no such address.",
                    _ => "is another khor running there?",
                };
                error!(
                    "the page can't be served at {address} ({problem}): {why} Choose another place with --listen; khor \
                     plays on and keeps trying"
                );
            }
            Err(_) => {}
        }
        sleep(BIND_RETRY).await;
    }
}
