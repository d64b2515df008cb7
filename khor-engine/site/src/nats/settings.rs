//! The settings of the connection to a NATS server: address and credentials.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_nats::{ConnectOptions, ServerAddr};
use khor_fleet::ServerAddressError;
use khor_proto::inert;
use khor_system::files;
use tracing::warn;

use super::secret_files::Exposed;

/// The default address: this machine, with the default port of NATS.
const LOCAL: &str = "nats://127.0.0.1:4222";
/// Capacity of the client's send queue, messages. While it is full, messages are dropped.
const WAITING: usize = 8;
/// The client pings a server that sends nothing for this long. It reconnects after two pings
/// without an answer. A cut cable causes no error, so only pings detect it.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// Maximum wait between two attempts to connect.
const RETRY: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum length of a key or certificate file, bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// A NATS server and the credentials for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsSettings {
    /// The server's address: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses TLS.
    pub url: String,
    /// A credentials file (JWT and seed) in the format of NATS' own tools.
    pub creds: Option<PathBuf>,
    /// A file with the seed of a user's NKey.
    pub nkey: Option<PathBuf>,
    /// A PEM file with the certificate of the authority that signed the server's certificate.
    /// `None` means the system's authorities.
    pub tls_ca: Option<PathBuf>,
    /// A PEM file with this client's certificate, if the server requires one.
    pub tls_cert: Option<PathBuf>,
    /// A PEM file with the key of this client's certificate.
    pub tls_key: Option<PathBuf>,
}

/// Why the settings of a connection cannot work.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The address is malformed or contains a secret.
    #[error("nats: {0}")]
    Address(#[from] ServerAddressError),
    /// A file is unreadable or has the wrong content.
    #[error("{field} {path}: {problem}")]
    File {
        /// The option that names the file.
        field: &'static str,
        /// The file.
        path: String,
        /// What is wrong with the file.
        problem: String,
    },
    /// Only the client's certificate or only its key is set, but both are needed.
    #[error("tls_cert and tls_key: set both of them or neither")]
    Pair,
    /// The NATS client rejects the options.
    #[error("nats: {0}")]
    Client(String),
}

impl Default for NatsSettings {
    fn default() -> Self {
        Self { url: LOCAL.into(), creds: None, nkey: None, tls_ca: None, tls_cert: None, tls_key: None }
    }
}

impl NatsSettings {
    /// Parses the address. Rejects addresses that contain a secret.
    pub fn check_url(&self) -> Result<ServerAddr, NatsError> {
        let is_allowed = !self.url.contains('@') && inert::is_inert(&self.url);
        let address = self.url.parse().ok().filter(|_| is_allowed);
        Ok(address.ok_or_else(|| ServerAddressError::of(&self.url))?)
    }

    /// The secret files: credentials, seed, and the key of the certificate.
    pub fn secrets(&self) -> impl Iterator<Item = &Path> {
        [&self.creds, &self.nkey, &self.tls_key].into_iter().flatten().map(PathBuf::as_path)
    }

    /// Builds the connection options. Reads the files in a blocking thread, because their file
    /// system may hang.
    pub(super) async fn options(&self) -> Result<ConnectOptions, NatsError> {
        let nats = self.clone();
        let options = tokio::task::spawn_blocking(move || nats.options_now()).await;
        options.map_err(|problem| NatsError::Client(problem.to_string()))?
    }

    /// Builds the connection options. Reads every file now, so that an invalid file is reported
    /// immediately.
    fn options_now(&self) -> Result<ConnectOptions, NatsError> {
        let mut options = ConnectOptions::new()
            .name("khor")
            .client_capacity(WAITING)
            .ping_interval(PING_INTERVAL)
            .connection_timeout(CONNECT_TIMEOUT)
            .reconnect_delay_callback(|attempts| RETRY.min(Duration::from_millis(50 << attempts.min(6))));
        if let Some(path) = &self.creds {
            let problem = "expected a user's JWT and seed, as the tools of NATS write them";
            let invalid = |_| file("creds", path, problem.into());
            options = options.credentials(&read("creds", path)?).map_err(invalid)?;
        }
        if let Some(path) = &self.nkey {
            let seed = read("nkey", path)?.trim().to_owned();
            if !seed.starts_with("SU") {
                return Err(file("nkey", path, "expected the seed of a user, which begins with SU".into()));
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

    pub(super) fn requires_tls(&self) -> bool {
        self.url.starts_with("tls://") || self.tls_ca.is_some() || self.tls_cert.is_some()
    }

    fn warn_of_exposed_secrets(&self) {
        // Each file was just read, so its permissions can usually be read too. If they cannot,
        // there is no warning.
        let exposed = self.secrets().filter_map(|path| Exposed::find(path).ok().flatten());
        for Exposed { path, readers } in exposed {
            let path = path.display();
            warn!("{path}: {readers} can read this file and send as this host; run chmod 600 {path}");
        }
    }
}

fn file(field: &'static str, path: &Path, problem: String) -> NatsError {
    NatsError::File { field, path: path.display().to_string(), problem }
}

fn read(field: &'static str, path: &Path) -> Result<String, NatsError> {
    files::read_text(path, MAX_BYTES).map_err(|error| file(field, path, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_password_is_rejected() {
        let check =
            |url: &str| NatsSettings { url: url.into(), ..NatsSettings::default() }.check_url().map(|_| ());
        assert!(check("nats://rack:4222").is_ok() && check("tls://rack").is_ok() && check("rack").is_ok());
        let error = check("nats://ana:secret@rack:4222").unwrap_err().to_string();
        assert!(error.contains("nkey") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn credential_files_are_checked_before_connecting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seed");
        let missing = NatsSettings { nkey: Some(path.clone()), ..NatsSettings::default() };
        assert!(missing.options_now().unwrap_err().to_string().starts_with("nkey "));
        std::fs::write(&path, "hello").unwrap();
        assert!(missing.options_now().unwrap_err().to_string().contains("SU"));
        let half = NatsSettings { tls_key: Some(path), ..NatsSettings::default() };
        assert!(matches!(half.options_now(), Err(NatsError::Pair)));
    }
}
