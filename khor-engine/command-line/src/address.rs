//! Parses network addresses on the command line.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

const EXPECTED: &str =
    "expected PORT or HOST:PORT with a port from 1 to 65535, such as 9117 or 10.0.0.7:9117";

/// Prepends the loopback address if `text` is a port without a host.
fn with_host(text: &str) -> String {
    text.parse::<u16>().map_or_else(|_| text.to_owned(), |port| format!("{}:{port}", Ipv4Addr::LOCALHOST))
}

/// Parses the address of a listener: a port, or a host and a port. If a host name has several
/// addresses, uses the first IPv4 address, because most clients try it first.
///
/// # Errors
///
/// Fails if `text` is neither a port nor a host and a port, or if the host name has no address. The
/// error names the expected form.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let found = with_host(text).to_socket_addrs().map_err(|_| EXPECTED)?;
    let found: Vec<SocketAddr> = found.filter(|address| address.port() != 0).collect();
    found
        .iter()
        .find(|address| address.is_ipv4())
        .or(found.first())
        .copied()
        .ok_or_else(|| EXPECTED.to_owned())
}

/// Parses the address of a server: a port, or a host and a port. Does not look up the host name,
/// because khor does this when it connects.
///
/// # Errors
///
/// Fails if `text` is neither a port nor a host and a port. The error names the expected form.
pub fn server_address(text: &str) -> Result<String, String> {
    let address = with_host(text);
    let (host, port) = address.rsplit_once(':').ok_or(EXPECTED)?;
    match port.parse::<u16>() {
        Ok(1..) if !host.is_empty() => Ok(address),
        _ => Err(EXPECTED.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses_have_a_port() {
        assert_eq!(listen_address("9117").unwrap().to_string(), "127.0.0.1:9117");
        assert_eq!(listen_address("0.0.0.0:9117").unwrap().to_string(), "0.0.0.0:9117");
        assert_eq!(listen_address("localhost:9117").unwrap().to_string(), "127.0.0.1:9117");
        assert_eq!(listen_address("[::1]:9117").unwrap().to_string(), "[::1]:9117");
        for wrong in ["rack", "", "localhost:99999", "10.0.0.7:", "-1", "0", "99999"] {
            assert!(listen_address(wrong).unwrap_err().contains("9117"), "{wrong}");
        }
    }

    #[test]
    fn server_addresses_are_checked_without_dns() {
        assert_eq!(server_address("9117").unwrap(), "127.0.0.1:9117");
        assert_eq!(server_address("no.such.host.invalid:1").unwrap(), "no.such.host.invalid:1");
        assert_eq!(server_address("[::1]:9117").unwrap(), "[::1]:9117");
        for wrong in ["rack", "", "nan", "-1", "0", "99999", "localhost:99999", "10.0.0.7:", ":9117"] {
            assert!(server_address(wrong).unwrap_err().contains("from 1 to 65535"), "{wrong}");
        }
    }
}
