//! The settings of the connection to a NATS server.

use std::path::PathBuf;

use khor_fleet::{SERVER_ADDRESS_FORM, ServerAddressError};
use khor_proto::inert;
use url::Url;

use super::rules::PATH;
use crate::{Access, Rule, TextRule, definition::section};

section! {
    /// A NATS server and the credentials for it.
    Nats, NatsPatch {
        /// Address of the NATS server: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses
        /// TLS.
        url: String = "nats://127.0.0.1:4222".into(), SERVER, Access::CommandLine;
        /// Credentials file (JWT and seed) for the NATS server, as NATS' own tools write it.
        creds: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// File with the seed of an NKey for the NATS server.
        nkey: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// PEM file with the certificate of the authority that signed the server's certificate.
        /// Null means the system's authorities.
        tls_ca: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// PEM file with khor's own client certificate, if the server requires one.
        tls_cert: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// PEM file with the key of khor's client certificate.
        tls_key: Option<PathBuf> = None, PATH, Access::CommandLine;
    }
}

const SERVER: Rule = Rule::Text(&TextRule {
    max_chars: 512,
    form: SERVER_ADDRESS_FORM,
    is_valid: |text| !text.contains('@') && inert::is_inert(text) && is_server_address(text),
    explain: Some(|text| ServerAddressError::of(text).to_string()),
    ..TextRule::FREE
});

/// Whether khor's NATS client accepts this address. An address without a scheme has the scheme
/// `nats`.
fn is_server_address(text: &str) -> bool {
    let url = if text.contains("://") { text.parse::<Url>() } else { format!("nats://{text}").parse() };
    url.is_ok_and(|url| matches!(url.scheme(), "nats" | "tls" | "ws" | "wss"))
}
