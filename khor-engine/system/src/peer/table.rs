//! Reads the kernel's tables of TCP sockets (`/proc/net/tcp` and `tcp6`, `proc_net(5)`).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use khor_proto::kernel_text;

use super::{Socket, canonical, check_families};

/// Finds the socket at `source` that is connected to `destination`. If `destination` is
/// unspecified, finds the socket that listens at `source`.
///
/// # Errors
///
/// Returns the system's error if a table cannot be read.
pub(super) fn find(source: SocketAddr, destination: SocketAddr) -> io::Result<Option<Socket>> {
    check_families(source, destination)?;
    // A client may use an IPv6 socket for an IPv4 address. Such a socket is in the second table.
    let names: &[&str] = if source.is_ipv4() { &["tcp", "tcp6"] } else { &["tcp6"] };
    for name in names {
        let table = kernel_text::read(format!("/proc/net/{name}"))?;
        if let Some(socket) = find_in(&table, source, destination) {
            return Ok(Some(socket));
        }
    }
    Ok(None)
}

fn find_in(table: &str, source: SocketAddr, destination: SocketAddr) -> Option<Socket> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let held = (address(fields.next()?)?, address(fields.next()?)?);
        let is_listener = destination.port() == 0 && held.0.ip().is_unspecified();
        let is_source = held.0 == source || (is_listener && held.0.port() == source.port());
        if !is_source || held.1 != destination {
            return None;
        }
        let state = u8::from_str_radix(fields.next()?, 16).ok()?;
        // Skip three fields before the user (queues, timer and retransmits), and one field before
        // the inode (timeout).
        let uid = fields.nth(3)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok()?;
        Some(Socket { uid, inode, state })
    })
}

/// Parses an address such as `0100007F:43A9`. The hexadecimal numbers are the IP address, as 32-bit
/// words in the machine's byte order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let words = (0..ip.len() / 8).map(|i| u32::from_str_radix(ip.get(8 * i..8 * i + 8)?, 16).ok());
    let bytes: Vec<u8> =
        words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip: IpAddr = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
        _ => return None,
    };
    Some(canonical(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test's table has the byte order of a little-endian machine.
    #[cfg(target_endian = "little")]
    #[test]
    fn a_table_is_read() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:43A9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0
   1: 0100007F:9C40 0100007F:43A9 01 00000000:00000000 00:00000000 00000000 65534        0 4712 1 0
   2: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:43A9 06 0:0 0:0 0 0 0 0\n";
        let engine: SocketAddr = "127.0.0.1:17321".parse().unwrap();
        let at = |port| SocketAddr::new(engine.ip(), port);
        let socket = |uid, inode, state| Some(Socket { uid, inode, state });
        assert_eq!(find_in(table, at(40000), engine), socket(65534, 4712, 1));
        assert_eq!(find_in(table, at(40001), engine), socket(0, 0, 6));
        assert_eq!(find_in(table, engine, "0.0.0.0:0".parse().unwrap()), socket(1000, 4711, 10));
        assert_eq!(find_in(table, at(40002), engine), None);
        let everywhere = table.replace("0100007F:43A9 00000000:0000", "00000000:43A9 00000000:0000");
        assert_eq!(find_in(&everywhere, engine, "0.0.0.0:0".parse().unwrap()), socket(1000, 4711, 10));
        assert_eq!(find_in("", at(40000), engine), None);
    }
}
