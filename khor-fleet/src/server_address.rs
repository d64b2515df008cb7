//! The errors that khor reports for an invalid address of a NATS server.

use khor_proto::inert;

/// The form of a valid address of a NATS server, which errors name.
pub const SERVER_ADDRESS_FORM: &str = "nats://HOST:PORT or tls://HOST:PORT";
/// Maximum number of characters of an address that an error quotes.
const QUOTED_CHARS: usize = 200;

/// Why the address of a NATS server is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerAddressError {
    /// The address is malformed.
    #[error("\"{0}\" is not a valid address; use {form}", form = SERVER_ADDRESS_FORM)]
    Malformed(String),
    /// The address contains a name or a password, which every user of the machine could read. The
    /// error does not quote the address.
    #[error("the address must not contain a name or a password; use an nkey or creds file")]
    Secret,
}

impl ServerAddressError {
    /// Returns the error for an address that a NATS client does not accept.
    pub fn of(address: &str) -> Self {
        if address.contains('@') {
            return Self::Secret;
        }
        Self::Malformed(inert::escaped(address, QUOTED_CHARS))
    }
}
