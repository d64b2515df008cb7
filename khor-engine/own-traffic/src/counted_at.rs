//! Determines where the kernel counts traffic: at the machine's edge, or inside the machine.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    path::Path,
};

use khor_system::NetDevice;
use nix::ifaddrs::getifaddrs;

use super::segments;

/// The folder in which the kernel describes each network device.
const DEVICES: &str = "/sys/class/net";
/// Largest depth of stacked network devices. A bridge on a VLAN on a bond has depth three.
const MAX_DEPTH: usize = 8;

/// The place where the kernel counts traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedAt {
    /// At a network device with hardware. The counters are `edge_rx_*` and `edge_tx_*`.
    Edge,
    /// At the loopback device, or at a virtual device whose traffic stays inside the machine. The
    /// counters are `local_*`.
    Local,
}

/// Whether both ends of a connection are on this machine.
pub(super) fn is_same_machine(local: IpAddr, remote: IpAddr) -> bool {
    let (local, remote) = (local.to_canonical(), remote.to_canonical());
    remote.is_loopback() || remote == local
}

/// Returns where the kernel counts the traffic of the address `local`, and whether the device with
/// this address splits large packets itself.
pub(super) fn find(local: IpAddr) -> (CountedAt, bool) {
    let local = local.to_canonical();
    if local.is_loopback() {
        return (CountedAt::Local, true);
    }
    let Some(device) = device_of(local) else { return (CountedAt::Edge, true) };
    let is_inside = is_inside(Path::new(DEVICES), &device);
    // If it is unknown whether the device splits packets, assume that it does. This gives a low
    // estimate of khor's own traffic, so that the subtraction hides less of other programs'
    // traffic.
    (if is_inside { CountedAt::Local } else { CountedAt::Edge }, segments::splits(&device).unwrap_or(true))
}

impl CountedAt {
    /// Returns where the kernel counts traffic between the address `local` and another machine or
    /// network namespace.
    pub fn of_local_address(local: IpAddr) -> Self {
        find(local).0
    }

    /// Returns where the kernel counts datagrams that khor sends to `remote`. The function itself
    /// sends no packet.
    pub fn of_destination(remote: SocketAddr) -> Self {
        if remote.ip().to_canonical().is_loopback() {
            return Self::Local;
        }
        let any: SocketAddr = if remote.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
        let route = UdpSocket::bind(any).and_then(|socket| {
            socket.connect(remote)?;
            socket.local_addr()
        });
        match route {
            Ok(local) if is_same_machine(local.ip(), remote.ip()) => Self::Local,
            Ok(local) => Self::of_local_address(local.ip()),
            Err(_) => Self::Edge,
        }
    }
}

/// The name of the network device that has this address.
fn device_of(local: IpAddr) -> Option<String> {
    let addresses = getifaddrs().ok()?;
    addresses
        .filter(|interface| {
            let address = interface.address.as_ref();
            let ipv4 = address.and_then(|it| it.as_sockaddr_in()).map(|it| IpAddr::V4(it.ip()));
            let ipv6 = address.and_then(|it| it.as_sockaddr_in6()).map(|it| IpAddr::V6(it.ip()));
            ipv4.or(ipv6) == Some(local)
        })
        .map(|interface| interface.interface_name)
        .next()
}

/// Whether the traffic of the device `name` stays inside the machine. This is true for a device of
/// a veth pair, and for a bridge without hardware below it. It is false for tunnels and dummy
/// devices, because their traffic leaves the machine through another device.
fn is_inside(devices: &Path, name: &str) -> bool {
    let device = NetDevice::at(devices.join(name));
    if !device.is_ethernet() || reaches_hardware(devices, name, MAX_DEPTH) {
        return false;
    }
    let is_pair = device.link() != device.index() && device.lower().is_empty();
    device.is_bridge() || is_pair
}

/// Whether the device `name`, or a device below it, has hardware.
fn reaches_hardware(devices: &Path, name: &str, depth: usize) -> bool {
    let device = NetDevice::at(devices.join(name));
    let below_reaches = || device.lower().iter().any(|name| reaches_hardware(devices, name, depth - 1));
    device.has_hardware() || (depth > 0 && below_reaches())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Creates a folder that describes devices as `/sys/class/net` does. Each device has a name,
    /// the index of the device that it is linked to (0 without a link), and the names of the
    /// entries in its folder.
    fn devices(list: &[(&str, u32, &[&str])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (index, (name, link, files)) in list.iter().enumerate() {
            let folder = dir.path().join(name);
            fs::create_dir(&folder).unwrap();
            let index = index as u32 + 1;
            let link = if *link == 0 { index } else { *link };
            fs::write(folder.join("type"), "1\n").unwrap();
            fs::write(folder.join("ifindex"), format!("{index}\n")).unwrap();
            fs::write(folder.join("iflink"), format!("{link}\n")).unwrap();
            for file in *files {
                fs::create_dir(folder.join(file)).unwrap();
            }
        }
        dir
    }

    #[test]
    fn pairs_and_bridges_without_hardware_are_inside() {
        let dir = devices(&[
            ("eth0", 0, &["device"]),
            ("vlan5", 1, &["lower_eth0"]),
            ("br0", 0, &["bridge", "lower_vlan5", "lower_veth0"]),
            ("docker0", 0, &["bridge", "lower_veth1"]),
            ("veth0", 9, &[]),
            ("veth1", 9, &[]),
            ("dummy0", 0, &[]),
        ]);
        let inside = |device| is_inside(dir.path(), device);
        let found = ["eth0", "vlan5", "br0", "docker0", "veth0", "dummy0", "none"].map(inside);
        assert_eq!(found, [false, false, false, true, true, false, false]);
    }

    #[test]
    fn loopback_and_own_addresses_are_local() {
        let same =
            |local: &str, remote: &str| is_same_machine(local.parse().unwrap(), remote.parse().unwrap());
        assert!(same("127.0.0.1", "127.0.0.1") && same("::ffff:127.0.0.1", "127.0.0.1"));
        assert!(same("192.0.2.1", "192.0.2.1") && !same("192.0.2.1", "192.0.2.2"));
        assert_eq!(CountedAt::of_destination("127.255.255.255:9".parse().unwrap()), CountedAt::Local);
        assert_eq!(CountedAt::of_local_address("::1".parse().unwrap()), CountedAt::Local);
    }
}
