//! The settings of the HTTP API: its address, its names, and which clients it serves.

use std::{net::IpAddr, path::PathBuf, str::FromStr};

use http::uri::Authority;
use khor_proto::inert;

use super::rules::{HOST_CHARS, PATH, PORT};
use crate::{Access, ListRule, Rule, TextRule, definition::section};

section! {
    /// The address of the HTTP API, and which clients it serves.
    Listen, ListenPatch {
        /// IP address of this machine on which the API listens. An address that other machines can
        /// reach needs a token.
        host: String = "127.0.0.1".into(), ADDRESS, Access::Api, restart;
        /// TCP port of the API.
        port: u16 = 17321, PORT, Access::Api, restart;
        /// File with a token of at least 32 characters. If it is set, every client needs the token.
        token_file: Option<PathBuf> = None, PATH, Access::File, restart;
        /// Serve every user of this machine, not only the engine's own user and root. This has no
        /// effect with a `token_file`.
        local_users: bool = false, Rule::Any, Access::File, restart;
        /// Additional names under which clients reach the API, such as the name of a reverse proxy:
        /// `name` or `name:port` for a page with TLS, `http://name` for a page without TLS.
        allowed_hosts: Vec<String> = Vec::new(), ALLOWED_HOSTS, Access::Api, restart;
    }
}

const ADDRESS: Rule = Rule::Text(&TextRule {
    max_chars: HOST_CHARS,
    form: "an IP address such as 127.0.0.1 or ::1",
    is_valid: |text| text.parse::<IpAddr>().is_ok(),
    ..TextRule::FREE
});
const ALLOWED_HOSTS: Rule = Rule::List(&ListRule {
    max_items: 16,
    items: "names",
    item: Rule::Text(&TextRule {
        // The longest allowed entry is a host name with a scheme and a port.
        max_chars: HOST_CHARS + 15,
        form: "a name, name:port, or http://name",
        is_valid: |text| inert::is_inert(text) && text.parse::<AllowedHost>().is_ok(),
        ..TextRule::FREE
    }),
});

/// An entry of `listen.allowed_hosts`: a name under which clients reach the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    is_https: bool,
    /// The host name in lower case, without the final dot.
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
    /// Whether this entry allows `host` as the `Host` header. An entry without a port allows every
    /// port.
    pub fn is_host(&self, host: &Authority) -> bool {
        plain_host(host.host()) == self.name && (self.port.is_none() || self.port == host.port_u16())
    }

    /// Whether this entry allows an `Origin` header with this scheme, host and port.
    pub fn is_origin(&self, scheme: &str, authority: &Authority) -> bool {
        let (own_scheme, default_port) = if self.is_https { ("https", 443) } else { ("http", 80) };
        scheme == own_scheme
            && plain_host(authority.host()) == self.name
            && authority.port_u16().unwrap_or(default_port) == self.port.unwrap_or(default_port)
    }
}

/// Converts a host name to lower case, and removes the final dot (the DNS root).
pub fn plain_host(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
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
