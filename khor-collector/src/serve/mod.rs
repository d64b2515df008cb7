//! The server on the Unix socket: one task per client, each with a clock of its own.
//!
//! A task reads the mapped counters at its own tick and writes straight to its socket, so nothing is queued and
//! nothing shared: a slow, silent or hostile client holds its own task and a small buffer, for two seconds.
//! Rejected: one sampling loop that broadcasts to all, which would tie the intervals of clients together.

mod activation;
mod connection;
mod registry;
mod socket;
#[cfg(test)]
mod tests;
mod ticker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use khor_proto::frame::Message;
use khor_proto::{CounterInfo, ProtocolVersion, ServerMessage, Welcome};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) use registry::Load;
pub(crate) use socket::{BoundSocket, SocketError, bind};

use crate::log::Brake;
use crate::sampler::CounterSource;
use registry::Registry;

/// How long clients get to read their goodbye.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);

/// What every [`Welcome`] says.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) kernel_release: String,
    pub(crate) boot_id: String,
    pub(crate) cpus: u32,
    pub(crate) counters: Vec<CounterInfo>,
}

/// What all connections share.
pub(crate) struct Server {
    source: Arc<dyn CounterSource>,
    identity: Identity,
    registry: Arc<Registry>,
    brake: Brake,
}

impl Server {
    /// Serves what `source` counts.
    pub(crate) fn new(source: Arc<dyn CounterSource>, identity: Identity) -> Self {
        Self { source, identity, registry: Arc::default(), brake: Brake::new() }
    }

    /// How many subscribe, and how often; changes are published.
    pub(crate) fn load(&self) -> watch::Receiver<Load> {
        self.registry.load()
    }

    /// Accepts clients until `stopped` turns true, then says goodbye to all of them.
    pub(crate) async fn run(self: Arc<Self>, listener: UnixListener, mut stopped: watch::Receiver<bool>) {
        let stops = stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.admit(stream, stops.clone(), &mut connections),
                    // Out of descriptors or memory: give clients time to leave rather than spin.
                    Err(error) => {
                        self.log(|| format!("accepting a client: {error}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = told_to_stop(&mut stopped) => break,
            }
        }
        let goodbyes = async { while connections.join_next().await.is_some() {} };
        // Whoever does not read it in time is cut off when the set is dropped.
        let _ = timeout(GOODBYE_TIMEOUT, goodbyes).await;
    }

    fn admit(
        self: &Arc<Self>,
        stream: UnixStream,
        stopped: watch::Receiver<bool>,
        connections: &mut JoinSet<()>,
    ) {
        let uid = match stream.peer_cred() {
            Ok(credentials) => credentials.uid(),
            Err(error) => return self.log(|| format!("asking who connects: {error}")),
        };
        match self.registry.admit(uid) {
            Ok(seat) => {
                connections.spawn(connection::serve(Arc::clone(self), stream, seat, stopped));
            }
            Err(reason) => {
                self.log(|| format!("refusing uid {uid}: {reason}"));
                refuse_at_once(&stream, reason);
            }
        }
    }

    fn welcome(&self, version: ProtocolVersion) -> ServerMessage {
        let Identity { kernel_release, boot_id, cpus, counters } = self.identity.clone();
        let collector_version = env!("CARGO_PKG_VERSION").to_owned();
        ServerMessage::Welcome(Welcome {
            version,
            collector_version,
            kernel_release,
            boot_id,
            cpus,
            counters,
        })
    }

    /// Logs what a client caused, within reason.
    fn log(&self, message: impl FnOnce() -> String) {
        match self.brake.release(Instant::now()) {
            Some(0) => tracing::warn!("{}", message()),
            Some(held_back) => {
                tracing::warn!("{} ({held_back} such messages before it held back)", message());
            }
            None => {}
        }
    }
}

/// Waits until `stopped` is true, or whoever could say so is gone.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Refuses without a task that could pile up: the buffer of a new connection has room for one frame.
fn refuse_at_once(stream: &UnixStream, reason: &str) {
    let Ok(frame) = khor_proto::frame::encode(&ServerMessage::Refused { reason: reason.to_owned() }) else {
        return;
    };
    debug_assert!(frame.len() <= ServerMessage::MAX_BODY_BYTES);
    let _ = stream.try_write(&frame);
}
