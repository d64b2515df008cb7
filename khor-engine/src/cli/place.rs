//! Places on the command line: where a server listens, and paths that become settings.

use std::{
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

use clap::builder::{PathBufValueParser, TypedValueParser};

/// The same with a host: a port alone is one of this machine's own.
pub(super) fn with_host(text: &str) -> String {
    text.parse::<u16>().map_or_else(|_| text.to_owned(), |port| format!("{}:{port}", Ipv4Addr::LOCALHOST))
}

/// A port, or a host and a port; of a name's addresses the first of IPv4, since that is where others look first.
///
/// # Errors
///
/// What was expected.
pub(super) fn place(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected PORT or HOST:PORT, as 9117 or 10.0.0.7:9117";
    let found: Vec<SocketAddr> = with_host(text).to_socket_addrs().map_err(|_| expected)?.collect();
    found.iter().find(|place| place.is_ipv4()).or(found.first()).copied().ok_or_else(|| expected.to_owned())
}

/// Parses a path that becomes a setting. Settings are JSON, which holds no other text than UTF-8.
pub(super) fn setting_path() -> impl TypedValueParser<Value = PathBuf> {
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
        for wrong in ["rack", "", "localhost:99999", "10.0.0.7:"] {
            assert!(place(wrong).unwrap_err().contains("9117"), "{wrong}");
        }
    }
}
