//! The settings of the connection to a NATS server.

use std::path::PathBuf;

use khor_proto::inert;
use url::Url;

use super::rules::PATH;
use crate::{Access, Rule, TextRule, definition::section};

section! {
    /// A NATS server and the credentials for it.
    Nats, NatsPatch {
        /// Address of the server: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses TLS.
        url: String = "nats://127.0.0.1:4222".into(), SERVER, Access::CommandLine;
        /// A credentials file (JWT and seed), as NATS' own tools write it.
        creds: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// A file with the seed of a user's `NKey`.
        nkey: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// A PEM file with the certificate of the authority that signed the server's certificate.
        /// Null means the authorities of the system.
        tls_ca: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// A PEM file with this client's certificate, if the server requires one.
        tls_cert: Option<PathBuf> = None, PATH, Access::CommandLine;
        /// A PEM file with the key of this client's certificate.
        tls_key: Option<PathBuf> = None, PATH, Access::CommandLine;
    }
}

const SERVER: Rule = Rule::Text(&TextRule {
    max_chars: 512,
    form: "nats://HOST:PORT or tls://HOST:PORT",
    is_valid: |text| !text.contains('@') && inert::is_inert(text) && is_server_address(text),
    explain: Some(explain),
    ..TextRule::FREE
});

/// The error of an invalid address. It does not quote an address that may contain a password.
fn explain(text: &str) -> String {
    if text.contains('@') {
        return "nats: expected an address without name or password: use an nkey or creds file".into();
    }
    let shown = inert::escaped(text, 200);
    format!("nats: {shown} is no address, expected nats://HOST:PORT or tls://HOST:PORT")
}

/// Whether the client of NATS accepts this address. An address without a scheme has the scheme
/// `nats`.
fn is_server_address(text: &str) -> bool {
    let url = if text.contains("://") { text.parse::<Url>() } else { format!("nats://{text}").parse() };
    url.is_ok_and(|url| matches!(url.scheme(), "nats" | "tls" | "ws" | "wss"))
}
