//! The connection to a NATS server: where it is, how one proves who one is, and whether it stands now.
//!
//! Core NATS by its own client. What can't be sent at once is let go, never queued: the next frame says more. `trouble` has the words
//! for what does not work.

mod keys;
mod trouble;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_nats::{Client, ConnectOptions, ServerAddr, connection::State};
use khor_proto::inert;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::warn;

pub use self::keys::Exposed;
use self::trouble::{Troubles, fix};
use khor_source::Shortfall;
use khor_system::files;
use khor_system::files::PATH_CHARS;

/// The server's usual port on this machine.
pub const LOCAL: &str = "nats://127.0.0.1:4222";
/// Messages that may wait for the client's own task; what it has no room for is let go.
const WAITING: usize = 8;
/// Longest wait for that room.
const PATIENCE: Duration = Duration::from_millis(20);
/// The server is asked to answer whenever nothing came from it for so long; two of these without an answer, and the client connects
/// anew: a cut cable says nothing.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// Without a byte from the server for so long it does not count as there. That leaves it a second to answer a ping, and is shorter
/// than it takes to miss a host, so that a cut cable is never taken for the silence of all hosts.
const MUTE: Duration = Duration::from_secs(3);
/// Longest wait between two attempts to connect.
const RETRY: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest address, characters.
const URL_CHARS: u32 = 512;
/// Largest key or certificate file that is read, bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// A NATS server, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Nats {
    /// Its address: `nats://HOST:PORT`, or `tls://HOST:PORT`, which is never spoken to in the clear.
    #[schemars(length(max = URL_CHARS))]
    pub url: String,
    /// A credentials file (JWT and seed), as NATS' own tools write it.
    #[schemars(length(max = PATH_CHARS))]
    pub creds: Option<PathBuf>,
    /// A file with the seed of a user's `NKey`.
    #[schemars(length(max = PATH_CHARS))]
    pub nkey: Option<PathBuf>,
    /// Certificates of the authority that vouches for the server, PEM; the system's are used without.
    #[schemars(length(max = PATH_CHARS))]
    pub tls_ca: Option<PathBuf>,
    /// This client's certificate, PEM, where the server asks for one.
    #[schemars(length(max = PATH_CHARS))]
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[schemars(length(max = PATH_CHARS))]
    pub tls_key: Option<PathBuf>,
}

/// What can't even be tried.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The address makes no sense.
    #[error("nats: {0} is no address, expected nats://HOST:PORT or tls://HOST:PORT")]
    Address(String),
    /// The address holds a name or a password, which would be seen by everybody.
    #[error("nats: expected an address without name or password: use an nkey or creds file")]
    Secret,
    /// A file can't be read or holds something else.
    #[error("{field} {path}: {problem}")]
    File {
        /// Which option names it.
        field: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate without its key, or the other way round.
    #[error("tls_cert and tls_key: expected both or none")]
    Pair,
    /// The client refuses the options.
    #[error("nats: {0}")]
    Client(String),
}

impl Default for Nats {
    fn default() -> Self {
        Self { url: LOCAL.into(), creds: None, nkey: None, tls_ca: None, tls_cert: None, tls_key: None }
    }
}

impl Nats {
    /// Whether the address can be one, and can be shown to anybody.
    pub fn check_url(&self) -> Result<ServerAddr, NatsError> {
        if self.url.contains('@') {
            return Err(NatsError::Secret);
        }
        let address = self.url.parse().ok().filter(|_| inert::is_inert(&self.url));
        address.ok_or_else(|| NatsError::Address(inert::escaped(&self.url, 200)))
    }

    /// Reads the connection options. The files are read in a blocking thread, because their file
    /// system may hang.
    async fn options(&self) -> Result<ConnectOptions, NatsError> {
        let nats = self.clone();
        let options = tokio::task::spawn_blocking(move || nats.options_now()).await;
        options.map_err(|problem| NatsError::Client(problem.to_string()))?
    }

    /// What it is connected with; every file is read, so that what can't work is said before it is tried.
    fn options_now(&self) -> Result<ConnectOptions, NatsError> {
        let mut options = ConnectOptions::new()
            .name("khor")
            .client_capacity(WAITING)
            .ping_interval(PING_INTERVAL)
            .connection_timeout(CONNECT_TIMEOUT)
            .reconnect_delay_callback(|attempts| RETRY.min(Duration::from_millis(50 << attempts.min(6))));
        if let Some(path) = &self.creds {
            let refused = |problem| file("creds", path, problem);
            options = options.credentials(&read("creds", path)?).map_err(|error| {
                refused(format!("{error}, expected a user's JWT and seed as NATS' own tools write them"))
            })?;
        }
        if let Some(path) = &self.nkey {
            let seed = read("nkey", path)?.trim().to_owned();
            if !seed.starts_with("SU") {
                return Err(file("nkey", path, "expected the seed of a user, SU…".into()));
            }
            options = options.nkey(seed);
        }
        if let Some(path) = &self.tls_ca {
            read("tls_ca", path)?;
            options = options.add_root_certificates(path.clone());
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => {
                read("tls_cert", cert)?;
                read("tls_key", key)?;
                options = options.add_client_certificate(cert.clone(), key.clone());
            }
            (None, None) => {}
            _ => return Err(NatsError::Pair),
        }
        self.warn_of_exposed_secrets();
        Ok(options.require_tls(self.requires_tls()))
    }

    fn requires_tls(&self) -> bool {
        self.url.starts_with("tls://") || self.tls_ca.is_some() || self.tls_cert.is_some()
    }

    fn warn_of_exposed_secrets(&self) {
        // Each file was just read, so an error here does not stop the connection.
        let exposed = self.secrets().filter_map(|path| Exposed::find(path).ok().flatten());
        for Exposed { path, readers } in exposed {
            let path = path.display();
            warn!("{path}: {readers} can read it and act in this host's name; chmod 600 {path}");
        }
    }
}

fn file(field: &'static str, path: &Path, problem: String) -> NatsError {
    NatsError::File { field, path: path.display().to_string(), problem }
}

fn read(field: &'static str, path: &Path) -> Result<String, NatsError> {
    files::read_text(path, MAX_BYTES).map_err(|error| file(field, path, error.to_string()))
}

/// A connection that comes back by itself.
#[derive(Clone, Debug)]
pub struct Link {
    client: Client,
    server: String,
    is_tls: bool,
    troubles: Arc<Troubles>,
    /// Bytes that had come when that was looked at last, and when they became more.
    came: Arc<Mutex<(u64, Instant)>>,
}

impl Link {
    /// Begins to connect. Fails only if it makes no sense to try.
    pub async fn open(nats: &Nats) -> Result<Self, NatsError> {
        let address = nats.check_url()?;
        let troubles = Arc::new(Troubles::new(nats.clone()));
        let told = Arc::clone(&troubles);
        let options = nats.options().await?.retry_on_initial_connect().event_callback(move |event| {
            told.note(&event);
            std::future::ready(())
        });
        let client = options.connect(address).await.map_err(|error| NatsError::Client(error.to_string()))?;
        let came = Arc::new(Mutex::new((0, Instant::now())));
        Ok(Self { client, server: nats.url.clone(), is_tls: nats.requires_tls(), troubles, came })
    }

    /// Whether the connection stands: something came from the server lately. To be asked at least once a second, or so.
    pub fn is_up(&self) -> bool {
        let bytes = self.client.statistics().in_bytes.load(Ordering::Relaxed);
        let mut came = self.came.lock();
        if came.0 != bytes {
            *came = (bytes, Instant::now());
        }
        self.client.connection_state() == State::Connected && came.1.elapsed() < MUTE
    }

    /// Why nothing goes through, or not everything.
    pub fn trouble(&self) -> Option<Shortfall> {
        let why = self
            .troubles
            .why()
            .or_else(|| (!self.is_up()).then(|| "nothing comes from it any more".to_owned()))?;
        Some(Shortfall { error: format!("the NATS server at {}: {why}", self.server), fix: fix(&why).into() })
    }

    /// Longest message that the server accepts, bytes: its `max_payload`.
    pub fn longest_message(&self) -> usize {
        self.client.max_payload()
    }

    /// Whether messages are dropped because they are too long for the server.
    pub fn drops_long_messages(&self) -> bool {
        self.troubles.drops_long_messages()
    }

    /// Sends, if that can be done at once, and says whether it was.
    pub async fn send(&self, subject: &str, bytes: Vec<u8>) -> bool {
        if !self.troubles.fits(bytes.len(), self.longest_message()) {
            return false;
        }
        let sending = self.client.publish(subject.to_owned(), bytes.into());
        self.is_up() && matches!(timeout(PATIENCE, sending).await, Ok(Ok(())))
    }

    /// TCP payload of a published message with `payload` bytes, if no other message shares its
    /// packet.
    pub fn length_on_wire(&self, subject: &str, payload: usize) -> usize {
        /// Header, type and authentication tag of a TLS 1.3 record.
        const TLS_RECORD: usize = 22;
        let command = format!("PUB {subject} {payload}\r\n\r\n").len();
        let tls = if self.is_tls { TLS_RECORD } else { 0 };
        command + payload + tls
    }

    /// This client's address, as the server sees it.
    pub fn local_address(&self) -> Option<IpAddr> {
        self.client.server_info().client_ip.parse().ok()
    }

    /// Hears everything that is sent under a subject, over reconnects.
    pub async fn subscribe(&self, subject: String) -> Result<async_nats::Subscriber, NatsError> {
        self.client.subscribe(subject).await.map_err(|error| NatsError::Client(error.to_string()))
    }

    /// Likewise a share of it: each message goes to one of those who name the same group.
    pub async fn subscribe_share(
        &self,
        subject: String,
        group: &str,
    ) -> Result<async_nats::Subscriber, NatsError> {
        let subscribed = self.client.queue_subscribe(subject, group.to_owned()).await;
        subscribed.map_err(|error| NatsError::Client(error.to_string()))
    }

    /// Gives what was handed over a moment to reach the server.
    pub async fn close(&self) {
        if self.is_up() {
            // A server that does not answer any more has nothing to lose.
            drop(timeout(Duration::from_secs(1), self.client.flush()).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_secret() {
        let check = |url: &str| Nats { url: url.into(), ..Nats::default() }.check_url().map(|_| ());
        assert!(check("nats://rack:4222").is_ok() && check("tls://rack").is_ok() && check("rack").is_ok());
        let error = check("nats://ana:secret@rack:4222").unwrap_err().to_string();
        assert!(error.contains("nkey") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn what_opens_the_server_is_checked_before_it_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seed");
        let missing = Nats { nkey: Some(path.clone()), ..Nats::default() };
        assert!(missing.options_now().unwrap_err().to_string().starts_with("nkey "));
        std::fs::write(&path, "hello").unwrap();
        assert!(missing.options_now().unwrap_err().to_string().contains("SU"));
        let half = Nats { tls_key: Some(path), ..Nats::default() };
        assert!(matches!(half.options_now(), Err(NatsError::Pair)));
    }
}
