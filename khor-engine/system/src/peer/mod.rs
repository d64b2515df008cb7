//! Finds the user whose program is at the other end of a TCP connection.
//!
//! The kernel knows the user at the other end only if both ends of the connection are on this
//! machine. [`sock_diag`] asks the kernel for one socket, which is fast. [`table`] reads
//! `/proc/net/tcp`, for kernels without `sock_diag`.

mod sock_diag;
mod table;

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::unistd::Uid;

/// The program at the other end of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A program of this user, on this machine.
    User(u32),
    /// A program on this machine whose user khor cannot find, because its socket is already closed
    /// or belongs to another network namespace.
    Unknown,
    /// A program on another machine.
    Remote(IpAddr),
}

/// A TCP socket, as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Socket {
    uid: u32,
    /// Inode of the socket. 0 if no program has the socket open; `uid` may then be 0 too.
    inode: u32,
    /// State of the connection, from `include/net/tcp_states.h`.
    state: u8,
}

/// `TCP_LISTEN` of `include/net/tcp_states.h`.
const LISTENING: u8 = 10;

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(uid) => write!(f, "user {uid}"),
            Self::Unknown => f.write_str("an unknown user"),
            Self::Remote(ip) => write!(f, "{ip}"),
        }
    }
}

impl Peer {
    /// Finds the program at the address `remote` that is connected to this program at `local`.
    pub fn of(local: SocketAddr, remote: SocketAddr) -> Self {
        let (local, remote) = (canonical(local), canonical(remote));
        if !remote.ip().is_loopback() && remote.ip() != local.ip() {
            return Self::Remote(remote.ip());
        }
        match find(remote, local) {
            Ok(Some(socket)) if socket.inode != 0 && socket.state != LISTENING => Self::User(socket.uid),
            _ => Self::Unknown,
        }
    }

    /// Whether the program belongs to the user of this process, or to root.
    pub fn is_owner(self) -> bool {
        matches!(self, Self::User(uid) if is_own(uid) || uid == 0)
    }
}

/// Finds the socket at `source` that is connected to `destination`. If `destination` is
/// unspecified, finds the socket that listens at `source`.
///
/// A kernel without `sock_diag` for TCP reports `ENOENT`, which also means that there is no such
/// socket. khor therefore trusts this answer only after `sock_diag` has found a socket once.
fn find(source: SocketAddr, destination: SocketAddr) -> io::Result<Option<Socket>> {
    static HAS_FOUND: AtomicBool = AtomicBool::new(false);
    match sock_diag::find(source, destination) {
        Ok(Some(socket)) => {
            HAS_FOUND.store(true, Ordering::Relaxed);
            Ok(Some(socket))
        }
        Ok(None) if HAS_FOUND.load(Ordering::Relaxed) => Ok(None),
        Ok(None) | Err(_) => table::find(source, destination),
    }
}

/// Finds the user whose program listens at `address`. `None` if no program listens there, or if
/// khor cannot find the user.
pub fn listener(address: SocketAddr) -> Option<u32> {
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from(([0; 4], 0)),
        SocketAddr::V6(_) => SocketAddr::from(([0_u16; 8], 0)),
    };
    find(address, any).ok().flatten().filter(|socket| socket.inode != 0).map(|socket| socket.uid)
}

/// The user and the inode of the client's socket, for a connection within this machine.
pub fn client_socket(local: SocketAddr, remote: SocketAddr) -> Option<(u32, u32)> {
    let socket = find(canonical(remote), canonical(local)).ok().flatten()?;
    (socket.inode != 0 && socket.state != LISTENING).then_some((socket.uid, socket.inode))
}

/// Whether `uid` is the user of this process.
///
/// In a user namespace, the kernel reports every unknown user as the overflow user. A process of
/// the overflow user therefore cannot distinguish its own sockets from the sockets of unknown
/// users. For such a process, the result is false.
pub fn is_own(uid: u32) -> bool {
    /// Id of the overflow user. `None` if the user namespace knows all users, so the kernel never
    /// reports the overflow user.
    static OVERFLOW: LazyLock<Option<u32>> = LazyLock::new(|| {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let knows_all = map.split_whitespace().eq(["0", "0", "4294967295"]);
        let overflow = fs::read_to_string("/proc/sys/kernel/overflowuid").ok();
        let overflow = overflow.and_then(|text| text.trim().parse().ok()).unwrap_or(65534);
        (!knows_all).then_some(overflow)
    });
    uid == Uid::effective().as_raw() && *OVERFLOW != Some(uid)
}

/// Converts a mapped address such as `::ffff:127.0.0.1` to the IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Checks that both addresses are IPv4, or both are IPv6.
fn check_families(one: SocketAddr, other: SocketAddr) -> io::Result<()> {
    if one.is_ipv4() == other.is_ipv4() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "one address is IPv4 and the other is IPv6"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Finds the socket at `remote` that is connected to `local`, first through `sock_diag`, then
    /// in the table.
    fn found(remote: SocketAddr, local: SocketAddr) -> [Option<Socket>; 2] {
        let (remote, local) = (canonical(remote), canonical(local));
        [sock_diag::find(remote, local).unwrap(), table::find(remote, local).unwrap()]
    }

    #[test]
    fn both_ways_find_connection_owner() {
        for (listen, connect) in
            [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("0.0.0.0", "::ffff:127.0.0.1"), ("::", "127.0.0.1")]
        {
            let listener = TcpListener::bind((listen, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let client = TcpStream::connect((connect, port)).unwrap();
            let (server, remote) = listener.accept().unwrap();
            let local = server.local_addr().unwrap();
            let own = Uid::effective().as_raw();
            assert_eq!(Peer::of(local, remote), Peer::User(own), "{listen} from {connect}");
            for socket in found(remote, local) {
                assert!(socket.is_some_and(|socket| socket.uid == own && socket.inode != 0));
            }
            drop(client);
            // The socket has no owner now, and khor must not report root as its owner. Wait first:
            // if another test has just forked a process, this process keeps the socket open until
            // it calls `exec`.
            let has_owner = |socket: Socket| socket.inode != 0;
            khor_e2e::wait_until("a socket without an owner", || {
                !found(remote, local).into_iter().flatten().any(has_owner)
            });
            assert_eq!(Peer::of(local, remote), Peer::Unknown);
        }
    }

    #[test]
    fn remote_connection_has_no_user() {
        let local = "192.0.2.1:17321".parse().unwrap();
        let remote: SocketAddr = "192.0.2.2:40000".parse().unwrap();
        assert_eq!(Peer::of(local, remote), Peer::Remote(remote.ip()));
        assert!(!Peer::of(local, remote).is_owner());
    }

    #[test]
    fn the_user_of_a_listener_is_found() {
        for listen in ["127.0.0.1", "::1"] {
            let held = TcpListener::bind((listen, 0)).unwrap();
            let address = held.local_addr().unwrap();
            assert_eq!(listener(address), Some(Uid::effective().as_raw()));
            drop(held);
            assert_eq!(listener(address), None);
        }
    }
}
