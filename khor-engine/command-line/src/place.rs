//! Parses places on the command line: addresses of servers, and paths that become settings.

use std::{
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use clap::builder::{PathBufValueParser, TypedValueParser};

const EXPECTED: &str =
    "expected PORT or HOST:PORT with a port from 1 to 65535, such as 9117 or 10.0.0.7:9117";

/// The same with a host: a port alone is one of this machine's own.
fn with_host(text: &str) -> String {
    text.parse::<u16>().map_or_else(|_| text.to_owned(), |port| format!("{}:{port}", Ipv4Addr::LOCALHOST))
}

/// A port, or a host and a port; of a name's addresses the first of IPv4, since that is where others look first.
///
/// # Errors
///
/// What was expected.
pub fn place(text: &str) -> Result<SocketAddr, String> {
    let found = with_host(text).to_socket_addrs().map_err(|_| EXPECTED)?;
    let found: Vec<SocketAddr> = found.filter(|place| place.port() != 0).collect();
    found.iter().find(|place| place.is_ipv4()).or(found.first()).copied().ok_or_else(|| EXPECTED.to_owned())
}

/// Parses the address of a server: a port, or a host and a port. The host is looked up later, when
/// khor connects.
///
/// # Errors
///
/// A description of the expected form.
pub fn address(text: &str) -> Result<String, String> {
    let address = with_host(text);
    let (host, port) = address.rsplit_once(':').ok_or(EXPECTED)?;
    match port.parse::<u16>() {
        Ok(1..) if !host.is_empty() => Ok(address),
        _ => Err(EXPECTED.to_owned()),
    }
}

/// Parses a path that becomes a setting. A setting is stored as JSON, so its path must be UTF-8.
pub fn setting_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(_) => Ok(path),
        None => Err("the path is not UTF-8: rename it, or link to it under another name"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_port_or_a_host_and_a_port() {
        assert_eq!(place("9117").unwrap().to_string(), "127.0.0.1:9117");
        assert_eq!(place("0.0.0.0:9117").unwrap().to_string(), "0.0.0.0:9117");
        assert_eq!(place("localhost:9117").unwrap().to_string(), "127.0.0.1:9117");
        assert_eq!(place("[::1]:9117").unwrap().to_string(), "[::1]:9117");
        for wrong in ["rack", "", "localhost:99999", "10.0.0.7:", "-1", "0", "99999"] {
            assert!(place(wrong).unwrap_err().contains("9117"), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_checked_without_looking_up_its_host() {
        assert_eq!(address("9117").unwrap(), "127.0.0.1:9117");
        assert_eq!(address("no.such.host.invalid:1").unwrap(), "no.such.host.invalid:1");
        assert_eq!(address("[::1]:9117").unwrap(), "[::1]:9117");
        for wrong in ["rack", "", "nan", "-1", "0", "99999", "localhost:99999", "10.0.0.7:", ":9117"] {
            assert!(address(wrong).unwrap_err().contains("from 1 to 65535"), "{wrong}");
        }
    }
}
