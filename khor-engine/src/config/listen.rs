//! Where the HTTP API listens, and under which names.

use std::path::PathBuf;

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warp::http::uri::Authority;

use super::{ConfigError, model::require};

/// Where the HTTP API listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Listen {
    /// An address of this machine; one that others can reach needs a token.
    pub host: String,
    /// TCP port, 1..=65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// A file with a token of at least 32 characters, which every request must carry. Only the file may name it.
    pub token_file: Option<PathBuf>,
    /// Names under which this listener is reached, such as that of a reverse proxy, at most 16.
    #[schemars(length(max = 16))]
    pub allowed_hosts: Vec<String>,
}

impl Default for Listen {
    fn default() -> Self {
        Self { host: "127.0.0.1".into(), port: 17321, token_file: None, allowed_hosts: Vec::new() }
    }
}

impl Listen {
    /// Most entries of `listen.allowed_hosts`.
    const HOSTS: usize = 16;

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let is_address = self.host.parse::<std::net::IpAddr>().is_ok();
        require(is_address, "listen.host", &self.host, "an address such as 127.0.0.1 or ::1")?;
        let count = self.allowed_hosts.len();
        let expected = format!("at most {}", Self::HOSTS);
        require(count <= Self::HOSTS, "listen.allowed_hosts", format_args!("{count} names"), &expected)?;
        for (i, host) in self.allowed_hosts.iter().enumerate() {
            let is_host = inert::is_inert(host)
                && host.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@'));
            let field = format!("listen.allowed_hosts[{i}]");
            require(is_host, &field, format_args!("\"{host}\""), "a name, or name:port")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_place_to_listen_is_an_address_and_its_names_are_names() {
        let mut config = Config::default();
        config.listen.allowed_hosts = vec!["khor.example".into(), "studio.local:8443".into()];
        assert_eq!(config.validate(), Ok(()));
        config.listen.allowed_hosts.push("https://khor.example/".into());
        assert!(config.validate().unwrap_err().to_string().starts_with("listen.allowed_hosts[2]: "));
        config = Config::default();
        config.listen.host = "everywhere".into();
        assert_eq!(config.validate().unwrap_err().field, "listen.host");
    }
}
