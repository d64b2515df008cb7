//! The settings of the connection to a NATS server.

use std::path::PathBuf;

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::lengths::PATH_CHARS;

/// The server's usual port on this machine.
const LOCAL: &str = "nats://127.0.0.1:4222";
/// Longest address, characters.
const URL_CHARS: u32 = 512;

/// A NATS server and the credentials for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Nats {
    /// Its address: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses TLS.
    #[schemars(length(max = URL_CHARS))]
    pub url: String,
    /// A credentials file (JWT and seed), as NATS' own tools write it.
    #[schemars(length(max = PATH_CHARS))]
    pub creds: Option<PathBuf>,
    /// A file with the seed of a user's `NKey`.
    #[schemars(length(max = PATH_CHARS))]
    pub nkey: Option<PathBuf>,
    /// Certificates of the authority that signed the server's, PEM. The default is the system's.
    #[schemars(length(max = PATH_CHARS))]
    pub tls_ca: Option<PathBuf>,
    /// This client's certificate, PEM, if the server requires one.
    #[schemars(length(max = PATH_CHARS))]
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[schemars(length(max = PATH_CHARS))]
    pub tls_key: Option<PathBuf>,
}

impl Default for Nats {
    fn default() -> Self {
        Self { url: LOCAL.into(), creds: None, nkey: None, tls_ca: None, tls_cert: None, tls_key: None }
    }
}

impl Nats {
    /// Checks the address. Rejects an address that contains a secret.
    pub(super) fn check_url(&self) -> Result<(), String> {
        if self.url.contains('@') {
            return Err(
                "nats: expected an address without name or password: use an nkey or creds file".into()
            );
        }
        if inert::is_inert(&self.url) && is_server_address(&self.url) {
            return Ok(());
        }
        let shown = inert::escaped(&self.url, 200);
        Err(format!("nats: {shown} is no address, expected nats://HOST:PORT or tls://HOST:PORT"))
    }
}

/// Whether the client of NATS accepts this address. An address without a scheme has the scheme
/// `nats`.
fn is_server_address(text: &str) -> bool {
    let url = if text.contains("://") { text.parse::<Url>() } else { format!("nats://{text}").parse() };
    url.is_ok_and(|url| matches!(url.scheme(), "nats" | "tls" | "ws" | "wss"))
}
