//! Options that say where the NATS server is and what opens it; common to all that use one.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::place::setting_path;
use crate::nats::Nats;

/// Each also has a variable of its own, so that a service needs no command line.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct NatsArgs {
    /// The NATS server: `nats://HOST:PORT`, or `tls://HOST:PORT`
    #[arg(long, value_name = "URL", env = "KHOR_NATS")]
    nats: Option<String>,
    /// Credentials for it, as NATS' own tools write them
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_CREDS", value_parser = setting_path(), conflicts_with = "nkey")]
    creds: Option<PathBuf>,
    /// Seed of this user's `NKey`
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_NKEY", value_parser = setting_path())]
    nkey: Option<PathBuf>,
    /// Who vouches for the server, PEM [default: the system's authorities]
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_CA", value_parser = setting_path())]
    tls_ca: Option<PathBuf>,
    /// This client's certificate, PEM
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_CERT", value_parser = setting_path(), requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_KEY", value_parser = setting_path(), requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl NatsArgs {
    /// Those that are given, as a part of the configuration.
    pub(super) fn overrides(&self) -> Value {
        let Self { nats, creds, nkey, tls_ca, tls_cert, tls_key } = self;
        let given = [
            ("url", json!(nats)),
            ("creds", json!(creds)),
            ("nkey", json!(nkey)),
            ("tls_ca", json!(tls_ca)),
            ("tls_cert", json!(tls_cert)),
            ("tls_key", json!(tls_key)),
        ];
        let given = given.into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(given.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
    }

    /// The server they name.
    pub(super) fn server(&self) -> Nats {
        let Self { nats, creds, nkey, tls_ca, tls_cert, tls_key } = self.clone();
        let url = nats.unwrap_or_else(|| Nats::default().url);
        Nats { url, creds, nkey, tls_ca, tls_cert, tls_key }
    }
}
