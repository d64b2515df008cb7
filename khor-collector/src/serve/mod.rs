//! The server on the Unix socket.
//!
//! A task for each client receives its messages ([`connection`]). One loop sends to all clients
//! ([`sender`]) and never waits for any of them. A slow, silent or hostile client costs only its
//! own task and a few frames, and is disconnected after two seconds.

mod activation;
mod client;
mod connection;
mod connection_limit;
mod outbox;
mod sender;
mod socket;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trust_tests;
mod wire;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use khor_log::RateLimit;
use khor_proto::{
    Availability, CounterInfo, Cue, CueInfo, CueKind, ProtocolVersion, ServerMessage, Welcome, frame::Message,
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use self::{
    connection_limit::ConnectionLimit,
    sender::Sender,
    wire::{Reader, Socket},
};
pub(crate) use self::{
    sender::{Load, Loop},
    socket::{BoundSocket, SocketError, bind},
};
use crate::{
    sampler::Kernel,
    trust::{Peer, Trusted},
};

/// Maximum number of log records about clients in each [`LOG_INTERVAL`].
const LOG_LIMIT: u32 = 10;
/// Interval to which [`LOG_LIMIT`] applies.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// When the collector stops, it waits at most this long for its connections to end.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// The contents that all [`Welcome`] messages have in common.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) kernel_release: String,
    pub(crate) boot_id: String,
    pub(crate) cpus: u32,
    pub(crate) counters: Vec<CounterInfo>,
    pub(crate) cues: Vec<CueInfo>,
}

/// The state that all connections share.
pub(crate) struct Server {
    identity: Identity,
    trusted: Trusted,
    sender: Arc<Sender>,
    connection_limit: Arc<ConnectionLimit>,
    log_limit: RateLimit,
}

impl Server {
    /// Creates a server for the counts of `kernel`. Limits apply only to users who are not in
    /// `trusted`.
    pub(crate) fn new(kernel: Arc<dyn Kernel>, identity: Identity, trusted: Trusted) -> Self {
        let sender = Arc::new(Sender::new(kernel));
        Self {
            identity,
            trusted,
            sender,
            connection_limit: Arc::default(),
            log_limit: RateLimit::new(LOG_LIMIT, LOG_INTERVAL),
        }
    }

    /// Returns a receiver that always has the current number of subscribers and their shortest
    /// interval. The receiver is notified of each change.
    pub(crate) fn load(&self) -> watch::Receiver<Load> {
        self.sender.load()
    }

    /// Waits until the thread that sends samples has finished its current round.
    pub(crate) fn wait_for_sender(&self) {
        self.sender.wait();
    }

    /// Sends a cue to its subscribers. `scopes` has a bit for each scope of the cue.
    pub(crate) fn send_cue(&self, cue: &Cue, scopes: u64) {
        self.sender.send_cue(cue, scopes);
    }

    /// Starts the thread that sends samples. The thread ends when the returned value is dropped.
    pub(crate) fn start_sender(&self) -> io::Result<Loop> {
        self.sender.start()
    }

    /// Accepts clients on `socket` until `stopped` becomes true, then ends all connections. Fails
    /// at once if it cannot listen on the socket.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut socket: BoundSocket,
        mut stopped: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let mut listener = UnixListener::from_std(socket.listener()?)?;
        let stops = stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.admit(stream, stops.clone(), &mut connections),
                    // Descriptors or memory ran out. Wait for clients to disconnect, instead of
                    // retrying without a pause.
                    Err(error) => {
                        self.log(|| format!("cannot accept a client: {error}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = socket.removed() => match socket.bind_again().and_then(UnixListener::from_std) {
                    Ok(new) => {
                        tracing::warn!("the socket file was removed; the collector has created it again");
                        listener = new;
                    }
                    Err(error) => {
                        tracing::error!("cannot recreate the removed socket file: {error}; restart the collector, because \
                             new clients cannot connect until then");
                        socket.stop_watching();
                    }
                },
                () = stop_requested(&mut stopped) => break,
            }
        }
        // Remove the socket file first, so that new clients do not connect to a server that is
        // about to end.
        drop(socket);
        let endings = async { while connections.join_next().await.is_some() {} };
        let _ = timeout(STOP_TIMEOUT, endings).await;
        Ok(())
    }

    fn admit(
        self: &Arc<Self>,
        stream: UnixStream,
        stopped: watch::Receiver<bool>,
        connections: &mut JoinSet<()>,
    ) {
        let uid = match stream.peer_cred() {
            Ok(credentials) => credentials.uid(),
            Err(error) => return self.log(|| format!("rejected a client: cannot read its user: {error}")),
        };
        let permit = match self.connection_limit.admit(self.trusted.peer(uid)) {
            Ok(permit) => permit,
            Err(reason) => {
                self.log(|| format!("rejected a client of uid {uid}: {reason}"));
                return reject_at_once(&stream, &reason);
            }
        };
        match Socket::new(stream) {
            Ok(socket) => {
                connections.spawn(connection::serve(Arc::clone(self), Reader(socket), permit, stopped));
            }
            Err(error) => self.log(|| format!("cannot watch a client's socket: {error}")),
        }
    }

    fn welcome(&self, version: ProtocolVersion, peer: Peer) -> ServerMessage {
        let Identity { kernel_release, boot_id, cpus, counters, mut cues } = self.identity.clone();
        if !peer.trusted {
            let reason = format!("only root and trusted users get program starts; {}", peer.remedy());
            let exec = cues.iter_mut().filter(|cue| cue.kind == CueKind::Exec);
            exec.for_each(|cue| cue.availability = Availability::Absent { reason: reason.clone() });
        }
        let collector_version = env!("CARGO_PKG_VERSION").to_owned();
        ServerMessage::Welcome(Welcome {
            version,
            collector_version,
            kernel_release,
            boot_id,
            cpus,
            counters,
            cues,
        })
    }

    /// Logs an event that a client caused, unless the rate limit suppresses it.
    fn log(&self, message: impl FnOnce() -> String) {
        match self.log_limit.permit(Instant::now()) {
            Some(0) => tracing::warn!("{}", message()),
            Some(suppressed) => {
                tracing::warn!("{} (suppressed messages before it: {suppressed})", message());
            }
            None => {}
        }
    }
}

/// Waits until `stopped` is true, or until the sending half of `stopped` is dropped.
async fn stop_requested(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Sends the reason for which a connection is rejected. No task is started for the connection,
/// because many such tasks could accumulate. The send buffer of a new connection always has room
/// for the message.
fn reject_at_once(stream: &UnixStream, reason: &str) {
    let Ok(frame) = khor_proto::frame::encode(&ServerMessage::Refused { reason: reason.to_owned() }) else {
        return;
    };
    debug_assert!(frame.len() <= ServerMessage::MAX_BODY_BYTES);
    let _ = stream.try_write(&frame);
}
