//! Creates network namespaces in which only the test sends packets. The sysfs in such a namespace
//! shows its own interfaces.

use std::{
    net::{SocketAddr, UdpSocket},
    path::Path,
};

use crate::{
    load::{in_namespace, mount_sysfs},
    namespace::{Namespace, run_command},
    procfs::{self, Traffic},
};

/// Runs `inside` in a new network namespace with loopback and without IPv6. `/sys` and
/// `/proc/thread-self` show this namespace.
pub fn in_network<R: Send>(inside: impl FnOnce() -> R + Send) -> R {
    in_namespace(|| {
        mount_sysfs();
        disable_ipv6();
        inside()
    })
}

/// Creates a second network namespace, in which IPv6 is disabled.
pub fn other_network() -> Namespace {
    let namespace = Namespace::new();
    namespace.run(disable_ipv6);
    namespace
}

/// Disables IPv6, because the kernel sends IPv6 packets on its own.
fn disable_ipv6() {
    let file = "/proc/thread-self/net/if_inet6";
    if Path::new(file).exists() {
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").expect("disabling IPv6");
    }
}

/// Runs `ip` in this thread's namespace.
pub fn ip(arguments: &str) {
    run_command(&format!("ip {arguments}"));
}

/// The kernel's counts of an interface in this thread's namespace.
pub fn traffic(interface: &str) -> Traffic {
    procfs::traffic(|name| name == interface)
}

/// Sends `count` datagrams of `bytes` each from this thread's namespace to port 9 of `to`, on which
/// no program listens.
pub fn send_datagrams(to: &str, count: u32, bytes: usize) {
    let to: SocketAddr = format!("{to}:9").parse().expect("a socket address");
    let socket = UdpSocket::bind("0.0.0.0:0").expect("binding a socket");
    let datagram = vec![0; bytes];
    for _ in 0..count {
        // Ignore errors. The receiver's kernel reports that the port is closed, which makes a later
        // send fail.
        let _ = socket.send_to(&datagram, to);
    }
}
