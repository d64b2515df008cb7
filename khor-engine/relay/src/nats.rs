//! The command-line options for the NATS server and its credentials. All commands that connect to
//! NATS have these options.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use khor_command_line::path::setting_path;
use khor_site::nats::NatsSettings;

/// The options for the NATS server. Each option also has an environment variable, for services.
#[derive(Args, Clone, Debug, Default)]
pub struct NatsArgs {
    /// The NATS server: `nats://HOST:PORT`, or `tls://HOST:PORT`
    #[arg(long, value_name = "URL", env = "KHOR_NATS")]
    pub nats: Option<String>,
    /// Credentials for the NATS server (JWT and seed), as NATS' own tools write them
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_CREDS", value_parser = setting_path(), conflicts_with = "nkey")]
    pub creds: Option<PathBuf>,
    /// File with the seed of an NKey for the NATS server
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_NKEY", value_parser = setting_path())]
    pub nkey: Option<PathBuf>,
    /// Certificate of the authority that signed the server's certificate, PEM [default: the
    /// system's authorities]
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_CA", value_parser = setting_path())]
    pub tls_ca: Option<PathBuf>,
    /// Certificate of this client for the NATS server, PEM
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_CERT", value_parser = setting_path(), requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the client's certificate, PEM
    #[arg(long, value_name = "FILE", env = "KHOR_NATS_KEY", value_parser = setting_path(), requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

impl NatsArgs {
    /// Returns the NATS server and the credentials for it. If an option is missing, uses the
    /// credential that systemd passes to the service.
    ///
    /// # Errors
    ///
    /// Fails if systemd passes two credentials, because the server accepts only one.
    pub fn server(&self) -> anyhow::Result<NatsSettings> {
        self.with(&Credentials::of_service())
    }

    fn with(&self, credentials: &Credentials) -> anyhow::Result<NatsSettings> {
        let Self { nats, mut creds, mut nkey, tls_ca, mut tls_cert, mut tls_key } = self.clone();
        if creds.is_none() && nkey.is_none() {
            (creds, nkey) = (credentials.find(CREDS), credentials.find(NKEY));
            if creds.is_some() && nkey.is_some() {
                bail!(
                    "there are two credentials, {CREDS} and {NKEY}: remove /etc/khor/relay.creds or /etc/khor/relay.nk"
                );
            }
        }
        if tls_cert.is_none() && tls_key.is_none() {
            (tls_cert, tls_key) = (credentials.find(CERT), credentials.find(KEY));
        }
        let tls_ca = tls_ca.or_else(|| credentials.find(CA));
        let url = nats.unwrap_or_else(|| NatsSettings::default().url);
        Ok(NatsSettings { url, creds, nkey, tls_ca, tls_cert, tls_key })
    }
}

// Names of the credentials in khor-relay.service.
const CREDS: &str = "nats-creds";
const NKEY: &str = "nats-nkey";
const CA: &str = "nats-ca";
const CERT: &str = "nats-cert";
const KEY: &str = "nats-key";

/// The credentials that systemd passes to this service: files that no other service can read
/// (`systemd.exec(5)`, `LoadCredential`).
struct Credentials {
    directory: Option<PathBuf>,
}

impl Credentials {
    fn of_service() -> Self {
        Self { directory: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from) }
    }

    /// Returns the path of the credential `name`; `None` if it is missing or blank. The file
    /// khor-relay.service sets a blank default for each credential, because systemd does not start
    /// a service whose credential is missing.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let path = self.directory.as_ref()?.join(name);
        let length = std::fs::metadata(&path).ok()?.len();
        (length > BLANK_BYTES).then_some(path)
    }
}

/// Length of a blank credential in khor-relay.service, bytes.
const BLANK_BYTES: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(files: &[(&str, &str)]) -> (tempfile::TempDir, Credentials) {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        let directory = Some(dir.path().to_owned());
        (dir, Credentials { directory })
    }

    #[test]
    fn credentials_replace_missing_options() {
        let (dir, given) =
            credentials(&[(NKEY, "SU…"), (CREDS, "\n"), (CA, "PEM"), (CERT, "PEM"), (KEY, "PEM")]);
        let at = |name: &str| Some(dir.path().join(name));
        let nats = NatsArgs::default().with(&given).unwrap();
        assert_eq!((&nats.nkey, &nats.creds), (&at(NKEY), &None), "a blank credential is ignored");
        assert_eq!((nats.tls_ca, nats.tls_cert, nats.tls_key), (at(CA), at(CERT), at(KEY)));
        let named = NatsArgs { creds: Some("/other".into()), ..NatsArgs::default() };
        let nats = named.with(&given).unwrap();
        assert_eq!((nats.creds, nats.nkey), (Some("/other".into()), None), "an option replaces a credential");
        let missing = Credentials { directory: None };
        assert_eq!(NatsArgs::default().with(&missing).unwrap(), NatsSettings::default());
    }

    #[test]
    fn two_credentials_are_an_error() {
        let (_dir, given) = credentials(&[(NKEY, "SU…"), (CREDS, "JWT")]);
        let error = NatsArgs::default().with(&given).unwrap_err().to_string();
        assert!(error.contains("relay.creds") && error.contains("relay.nk"), "{error}");
    }

    #[test]
    fn the_unit_loads_exactly_these_credentials() {
        let unit = include_str!("../../../systemd/khor-relay.service");
        for name in [CREDS, NKEY, CA, CERT, KEY] {
            assert_eq!(unit.matches(&format!("LoadCredential={name}:/etc/khor/")).count(), 1, "{name}");
            assert!(unit.contains(&format!("SetCredential={name}:\\n\n")), "{name} has no blank default");
        }
        assert_eq!(unit.matches("LoadCredential=").count(), 5);
    }
}
