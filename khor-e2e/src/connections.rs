//! Lists the TCP sockets of this network namespace.

use std::fs;

/// A TCP socket in `/proc/net/tcp` or `/proc/net/tcp6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The local port.
    pub local_port: u16,
    /// The peer's port; 0 for a listening socket.
    pub remote_port: u16,
    /// The socket's state, as a number of the kernel.
    pub state: u8,
    /// The user of the process that opened the socket, or 0 when no process holds it.
    pub uid: u32,
}

/// The kernel's number for the state of an open connection.
pub const ESTABLISHED: u8 = 1;
/// The kernel's number for the state of a listening socket.
pub const LISTEN: u8 = 10;

/// All current TCP sockets.
pub fn connections() -> Vec<Connection> {
    let tables = ["tcp", "tcp6"].map(|name| fs::read_to_string(format!("/proc/net/{name}")));
    let lines = tables.iter().flatten().flat_map(|table| table.lines().skip(1));
    lines.filter_map(parse).collect()
}

/// The first of `ports` on which a process of the user `uid` listens.
pub fn listener(uid: u32, ports: &[u16]) -> Option<u16> {
    let fits =
        |found: &Connection| found.state == LISTEN && found.uid == uid && ports.contains(&found.local_port);
    connections().into_iter().find(fits).map(|found| found.local_port)
}

fn parse(line: &str) -> Option<Connection> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    Some(Connection {
        local_port: port(fields.get(1)?)?,
        remote_port: port(fields.get(2)?)?,
        state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
        uid: fields.get(7)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn own_listener_is_listed() {
        let listener_here = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener_here.local_addr().unwrap().port();
        let uid = nix::unistd::geteuid().as_raw();
        assert_eq!(listener(uid, &[1, port]), Some(port));
        assert_eq!(listener(uid + 1, &[port]), None);
    }
}
