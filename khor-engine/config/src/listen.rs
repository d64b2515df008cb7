//! Where the HTTP API listens, and under which names.

use std::{path::PathBuf, str::FromStr};

use http::uri::Authority;
use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    error::require,
    lengths::{HOST_CHARS, PATH_CHARS},
};

/// Longest entry of `listen.allowed_hosts`, characters: a name with a scheme and a port.
const ENTRY_CHARS: u32 = HOST_CHARS + 15;

/// Where the HTTP API listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Listen {
    /// An address of this machine; one that others can reach needs a token.
    #[schemars(length(max = HOST_CHARS))]
    pub host: String,
    /// TCP port, 1..=65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// A file with a token of at least 32 characters. Every client then needs the token. Only the
    /// configuration file may set this.
    #[schemars(length(max = PATH_CHARS))]
    pub token_file: Option<PathBuf>,
    /// Let in every user of this machine, not only the engine's own user and root. Has no effect if
    /// there is a token. Only the configuration file may set this.
    pub local_users: bool,
    /// Other names of this listener, such as the name of a reverse proxy; at most 16. Each is a
    /// name, `name:port`, or `http://name` for a page without TLS. Without a scheme the page is at
    /// `https://`.
    #[schemars(length(max = 16), inner(length(max = ENTRY_CHARS)))]
    pub allowed_hosts: Vec<String>,
}

/// An entry of `listen.allowed_hosts`: a name under which clients reach the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    is_https: bool,
    /// In lower case, without the final dot.
    name: String,
    port: Option<u16>,
}

impl FromStr for AllowedHost {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let authority: Authority = rest.parse().map_err(|_| ())?;
        if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
            return Err(());
        }
        let (name, port) = (plain_host(authority.host()), authority.port_u16());
        Ok(Self { is_https: scheme == "https", name, port })
    }
}

impl AllowedHost {
    /// Whether this entry allows a `Host` header. An entry without a port allows every port.
    pub fn is_host(&self, host: &Authority) -> bool {
        plain_host(host.host()) == self.name && (self.port.is_none() || self.port == host.port_u16())
    }

    /// Whether this entry is the origin with this scheme, host and port.
    pub fn is_origin(&self, scheme: &str, authority: &Authority) -> bool {
        let (own_scheme, default_port) = if self.is_https { ("https", 443) } else { ("http", 80) };
        scheme == own_scheme
            && plain_host(authority.host()) == self.name
            && authority.port_u16().unwrap_or(default_port) == self.port.unwrap_or(default_port)
    }
}

/// A host name in lower case, without the final dot, which stands for the DNS root.
pub fn plain_host(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 17321,
            token_file: None,
            local_users: false,
            allowed_hosts: Vec::new(),
        }
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
            let is_host = inert::is_inert(host) && host.parse::<AllowedHost>().is_ok();
            let field = format!("listen.allowed_hosts[{i}]");
            require(is_host, &field, format_args!("\"{host}\""), "a name, name:port, or http://name")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn invalid_listen_addresses_are_rejected() {
        let mut config = Config::default();
        config.listen.allowed_hosts =
            vec!["khor.example".into(), "studio.local:8443".into(), "http://plain.example:8080".into()];
        assert_eq!(config.validate(), Ok(()));
        config.listen.allowed_hosts.push("https://khor.example/".into());
        assert!(config.validate().unwrap_err().to_string().starts_with("listen.allowed_hosts[3]: "));
        config = Config::default();
        config.listen.host = "everywhere".into();
        assert_eq!(config.validate().unwrap_err().field, "listen.host");
    }
}
