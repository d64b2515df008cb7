//! Checks that the headers `Host` and `Origin` of a request match this listener.
//!
//! If `Host` names another server, the request may be a DNS rebinding attack. If `Origin` names
//! another site, a page of that site sent the request.

use std::{net::IpAddr, sync::Arc};

use khor_config::{AllowedHost, plain_host};
use warp::http::uri::Authority;

/// The names and addresses under which clients may reach a listener.
#[derive(Clone)]
pub(in crate::http) struct Names {
    /// The entries of the setting `listen.allowed_hosts`.
    hosts: Arc<[AllowedHost]>,
    /// Whether other machines can reach the listener.
    beyond_loopback: bool,
    port: u16,
}

impl Names {
    pub(super) fn new(hosts: &[String], beyond_loopback: bool, port: u16) -> Self {
        let hosts = hosts.iter().filter_map(|host| host.parse().ok()).collect();
        Self { hosts, beyond_loopback, port }
    }

    /// Returns these names with another port.
    pub(super) fn at_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether `host` is a name or an address of this listener. Loopback addresses are
    /// allowed, and so are all IP addresses if other machines can reach the listener, because DNS
    /// rebinding needs a name. A dot at the end of a name (the DNS root) is ignored.
    pub(in crate::http) fn is_own_host(&self, host: &Authority) -> bool {
        self.is_address(host) || self.hosts.iter().any(|allowed| allowed.is_host(host))
    }

    fn is_address(&self, authority: &Authority) -> bool {
        let host = plain_host(authority.host());
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let ip = host.parse::<IpAddr>();
        let fits = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback() || self.beyond_loopback);
        fits && authority.port_u16().unwrap_or(80) == self.port
    }

    /// Returns whether `origin` is the origin of this listener's page, for a request with this
    /// `Host`. Scheme, host and port must all match. Without a proxy, the page's origin is the
    /// `Host`. A proxy may replace the `Host`; the page's origin is then one of
    /// `listen.allowed_hosts`.
    pub(in crate::http) fn is_own_origin(&self, origin: &str, host: &Authority) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let is_direct = scheme == "http"
            && host.port_u16().unwrap_or(80) == self.port
            && authority.port_u16().unwrap_or(80) == self.port
            && plain_host(authority.host()) == plain_host(host.host());
        // If `Host` is not an address of this listener, a proxy has passed it on unchanged. The
        // origin must then have the same name.
        let is_replaced = self.is_address(host);
        let is_at = |allowed: &AllowedHost| is_replaced || allowed.is_host(host);
        is_direct || self.hosts.iter().any(|allowed| is_at(allowed) && allowed.is_origin(scheme, &authority))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: [&str; 3] = ["Khor.example", "studio.local:8443", "http://plain.example"];

    fn names(beyond_loopback: bool) -> Names {
        Names::new(&HOSTS.map(str::to_owned), beyond_loopback, 17321)
    }

    #[test]
    fn own_hosts_are_addresses_or_names() {
        let is_own = |host: &str| names(true).is_own_host(&host.parse().unwrap());
        for host in [
            "192.168.1.7:17321",
            "[fe80::1]:17321",
            "127.0.0.1:17321",
            "khor.EXAMPLE",
            "khor.example:443",
            "studio.local:8443",
            "plain.example",
            "192.168.1.7.:17321",
            "localhost.:17321",
            "khor.example.",
            "Khor.Example.:443",
            "studio.local.:8443",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "192.168.1.7:80",
            "evil.example:17321",
            "studio.local",
            "studio.local:17321",
            "a.khor.example",
            "khor.example..",
            "localhost..:17321",
        ] {
            assert!(!is_own(host), "{host}");
        }
        assert!(!names(false).is_own_host(&"192.168.1.7:17321".parse().unwrap()));
    }

    #[test]
    fn own_origins_match_scheme_host_and_port() {
        let is_own = |origin: &str, host: &str| names(true).is_own_origin(origin, &host.parse().unwrap());
        for (origin, host) in [
            ("http://127.0.0.1:17321", "127.0.0.1:17321"),
            ("http://localhost.:17321", "LOCALHOST:17321"),
            ("http://[::1]:17321", "[::1]:17321"),
            ("http://192.168.1.7:17321", "192.168.1.7:17321"),
            ("http://khor.example:17321", "khor.example:17321"),
            ("https://khor.example", "khor.example"),
            ("https://khor.example:443", "127.0.0.1:17321"),
            ("https://studio.local:8443", "127.0.0.1:17321"),
            ("http://plain.example", "plain.example"),
        ] {
            assert!(is_own(origin, host), "{origin} at {host}");
        }
        for (origin, host) in [
            ("http://localhost:17321", "127.0.0.1:17321"),
            ("http://192.168.1.8:17321", "192.168.1.7:17321"),
            ("https://127.0.0.1:17321", "127.0.0.1:17321"),
            ("http://127.0.0.1:8000", "127.0.0.1:17321"),
            ("http://127.0.0.1", "127.0.0.1:17321"),
            ("http://khor.example", "khor.example"),
            ("https://khor.example:8443", "khor.example"),
            ("http://studio.local:8443", "studio.local:8443"),
            ("https://plain.example", "plain.example"),
            ("https://khor.example", "plain.example"),
            ("http://evil.example", "127.0.0.1:17321"),
            ("null", "127.0.0.1:17321"),
            ("127.0.0.1:17321", "127.0.0.1:17321"),
            ("", "127.0.0.1:17321"),
        ] {
            assert!(!is_own(origin, host), "{origin} at {host}");
        }
    }
}
