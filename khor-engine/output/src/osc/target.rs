//! An OSC target: a host name or address, and a port.

use std::fmt;

/// The target of OSC messages. It is written as `host:port`, with brackets around an IPv6 address:
/// `[::1]:9000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OscTarget {
    /// Host name or IP address. An IPv6 address is stored without brackets.
    pub host: String,
    /// UDP port, 1..=65535.
    pub port: u16,
}

impl fmt::Display for OscTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_have_brackets() {
        let shown = |host: &str| OscTarget { host: host.into(), port: 9000 }.to_string();
        assert_eq!(shown("studio.local"), "studio.local:9000");
        assert_eq!(shown("fe80::1%eth0"), "[fe80::1%eth0]:9000");
    }
}
