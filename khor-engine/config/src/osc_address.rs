//! The address of an OSC target: a host name or address, and a port.

use std::{net::Ipv6Addr, str::FromStr};

/// The address of an OSC target. Its text form is `host:port`, with an IPv6 address in brackets:
/// `[::1]:9000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OscAddress {
    /// Host name or IP address. An IPv6 address has no brackets here.
    pub host: String,
    /// UDP port, 1..=65535.
    pub port: u16,
}

/// The error of a text that is not the address of an OSC target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", OscAddress::FORM)]
pub struct ParseOscAddressError;

impl OscAddress {
    /// The form of a valid address, which errors name.
    pub const FORM: &str =
        "host:port with a port from 1 to 65535, an IPv6 address in brackets: studio.local:9000, [::1]:9000";
}

impl FromStr for OscAddress {
    type Err = ParseOscAddressError;

    fn from_str(text: &str) -> Result<Self, ParseOscAddressError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once("]:").filter(|(host, _)| is_ipv6(host)),
            None => text.split_once(':').filter(|(host, _)| is_name(host)),
        }
        .ok_or(ParseOscAddressError)?;
        // Without this check, `parse` would accept a port such as `+9000`.
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        match port.parse() {
            Ok(port @ 1..) if is_number => Ok(Self { host: host.to_owned(), port }),
            _ => Err(ParseOscAddressError),
        }
    }
}

/// Whether `host` is an IPv6 address. A percent sign and an interface name may follow the address:
/// `fe80::1%eth0`.
fn is_ipv6(host: &str) -> bool {
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok()
}

fn is_name(host: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "[]/@".contains(c);
    !host.is_empty() && !host.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_addresses_are_parsed() {
        for (text, host, port) in [
            ("127.0.0.1:9000", "127.0.0.1", 9000),
            ("studio.local:1", "studio.local", 1),
            ("[::1]:65535", "::1", 65535),
            ("[fe80::1%eth0]:9000", "fe80::1%eth0", 9000),
        ] {
            assert_eq!(text.parse(), Ok(OscAddress { host: host.into(), port }), "{text}");
        }
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        let wrong = [
            "",
            ":9000",
            "host",
            "host:",
            "host:0",
            "host:+9",
            "host:65536",
            "host:9000 ",
            "::1:9000",
            "[::1]",
            "[::1]9000",
            "[host]:9000",
            "a b:9000",
            "udp://host:9000",
            "host:9000:9001",
        ];
        for text in wrong {
            assert_eq!(text.parse::<OscAddress>(), Err(ParseOscAddressError), "{text}");
        }
    }
}
