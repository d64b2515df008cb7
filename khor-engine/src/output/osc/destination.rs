//! A target and the way to it. A name is looked up by a thread of its own: that can take many seconds, and the
//! notes for the other targets don't wait for it.

use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket},
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    thread,
    time::Duration,
};

use schemars::JsonSchema;
use serde::Serialize;
use tracing::warn;

use super::Target;
use crate::output::Health;

/// How often a name that did not resolve is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Health of one target, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TargetHealth {
    /// The target, `host:port`.
    pub target: String,
    /// Whether it can be sent to.
    pub ok: bool,
    /// Why not, once that is known.
    pub error: Option<String>,
}

/// A target that is wanted.
#[derive(Debug)]
pub(super) struct Destination {
    target: Target,
    link: OnceLock<(UdpSocket, SocketAddr)>,
    /// What was wrong with the last attempt.
    error: Mutex<Option<String>>,
}

impl Destination {
    /// Opens the way there: an address at once, a name as soon as it resolves, for as long as the destination is
    /// kept.
    pub(super) fn open(target: Target) -> Arc<Self> {
        let is_address = target.host.parse::<IpAddr>().is_ok();
        let this = Arc::new(Self { target, link: OnceLock::new(), error: Mutex::new(None) });
        if !(is_address && this.attempt()) {
            let wanted = Arc::downgrade(&this);
            let looker =
                thread::Builder::new().name("khor-osc-name".into()).spawn(move || keep_trying(&wanted));
            if let Err(error) = looker {
                this.fail(&error);
            }
        }
        this
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether there is a way to the target yet.
    pub(super) fn is_open(&self) -> bool {
        self.link.get().is_some()
    }

    /// Sends to the target, if there is a way.
    pub(super) fn send(&self, datagram: &[u8]) {
        if let Some((socket, address)) = self.link.get() {
            // UDP: a datagram nobody takes is no error of ours.
            drop(socket.send_to(datagram, address));
        }
    }

    pub(super) fn health(&self) -> TargetHealth {
        let ok = self.is_open();
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        TargetHealth { target: self.target.to_string(), ok, error: error.filter(|_| !ok) }
    }

    fn attempt(&self) -> bool {
        match open(&self.target) {
            Ok(link) => {
                // One thread at a time tries, and stops when it succeeds.
                drop(self.link.set(link));
                true
            }
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }

    fn fail(&self, error: &std::io::Error) {
        let error = error.to_string();
        let mut held = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref() != Some(&error) {
            warn!("osc: {}: {error}", self.target);
        }
        *held = Some(error);
    }
}

/// Health of them all together; one that fails is named and does not hide that the others work.
pub(super) fn overall(targets: &[TargetHealth]) -> Health {
    let failing: Vec<String> = targets
        .iter()
        .filter_map(|health| health.error.as_ref().map(|error| format!("{}: {error}", health.target)))
        .collect();
    if targets.is_empty() {
        Health::off()
    } else if !failing.is_empty() {
        let fix = "set osc.host and osc.targets to names or addresses that this machine can reach";
        Health::failing(failing.join("; "), fix)
    } else if targets.iter().all(|health| health.ok) {
        Health::working()
    } else {
        Health::starting()
    }
}

fn keep_trying(wanted: &Weak<Destination>) {
    while let Some(destination) = wanted.upgrade() {
        if destination.attempt() {
            return;
        }
        drop(destination);
        thread::sleep(RETRY);
    }
}

fn open(target: &Target) -> std::io::Result<(UdpSocket, SocketAddr)> {
    let address = (target.host.as_str(), target.port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))?;
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}
