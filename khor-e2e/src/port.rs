//! Chooses network ports for the programs under test.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::Range,
};

use parking_lot::Mutex;

use crate::lock::MachineLock;

/// Ports below the range that Linux assigns to outgoing connections (`ip_local_port_range`, 32768
/// and up). So no outgoing connection takes one of these ports before a program binds to it.
const PORTS: Range<u16> = 20_000..32_000;

/// Locks on the ports that this process has chosen. They are held until the process ends.
static CHOSEN: Mutex<Vec<MachineLock>> = Mutex::new(Vec::new());

/// A port that is free for TCP and UDP. No other test chooses this port while this process runs.
pub fn free_port() -> u16 {
    let mut chosen = CHOSEN.lock();
    // Each process starts at a different port, so that processes rarely try the same one.
    let begin = std::process::id().wrapping_mul(7919).wrapping_add(chosen.len() as u32);
    let count = u32::from(PORTS.end - PORTS.start);
    for i in 0..count {
        let port = PORTS.start + (begin.wrapping_add(i) % count) as u16;
        let lock = MachineLock::try_new(&format!("port-{port}")).expect("trying to lock a port");
        if let Some(lock) = lock
            && is_free(port)
        {
            chosen.push(lock);
            return port;
        }
    }
    panic!("all ports from {} to {} are in use", PORTS.start, PORTS.end - 1);
}

/// Whether a program could bind to the port on all addresses, for TCP and for UDP.
fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::UNSPECIFIED, port);
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn chosen_ports_are_free_and_unique() {
        let ports: BTreeSet<u16> = (0..20).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 20);
        assert!(ports.iter().all(|port| PORTS.contains(port) && is_free(*port)));
        for port in ports {
            assert!(MachineLock::try_new(&format!("port-{port}")).unwrap().is_none(), "{port} is not locked");
        }
    }

    #[test]
    fn used_port_is_not_free() {
        let port = free_port();
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(tcp);
        let _udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }
}
