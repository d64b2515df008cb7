//! Compares khor's counts of traffic at the machine's edge and inside the machine with the devices'
//! own counts.

use std::{
    cell::Cell,
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::Path,
};

use khor_e2e::{
    Bracket, Namespace, bracket, load,
    load::Background,
    procfs::{self, Traffic},
    skip::in_vm,
};
use khor_proto::Counter;

use crate::{Turn, turn};

const BYTES: u64 = 64 << 20;
/// Size of the link-layer header, in bytes. A veth device counts this header, but the network stack
/// does not.
const ETHERNET_HEADER_BYTES: u64 = 14;
/// Number of attempts for each comparison. One attempt must be exact.
const ATTEMPTS: usize = 30;
const ATTEMPTS_IN_VM: usize = 5;

/// A local device that does not pass its packets to another device. For each packet, the device's
/// own count is `header` bytes higher than khor's count.
struct LocalDevice<'a> {
    namespace: &'a Namespace,
    device: &'static str,
    header: u64,
}

impl<'a> LocalDevice<'a> {
    fn veth(namespace: &'a Namespace, device: &'static str) -> Self {
        Self { namespace, device, header: ETHERNET_HEADER_BYTES }
    }

    fn bridge(namespace: &'a Namespace, device: &'static str) -> Self {
        Self { namespace, device, header: 0 }
    }

    /// Bytes and packets that the device received, without link-layer headers.
    fn received(&self) -> (u64, u64) {
        let traffic = traffic_of(self.namespace, self.device);
        (traffic.rx_bytes - self.header * traffic.rx_packets, traffic.rx_packets)
    }
}

/// Whether a device of the host's namespace is at the edge.
fn is_at_edge(device: &str) -> bool {
    Path::new("/sys/class/net").join(device).join("device").exists()
}

/// Bytes and packets that the host's own local devices received. No headers are subtracted, because
/// the packets of loopback have no link-layer header.
fn host_received() -> (u64, u64) {
    let traffic = procfs::traffic(|device| !is_at_edge(device));
    (traffic.rx_bytes, traffic.rx_packets)
}

fn received(devices: &[LocalDevice<'_>]) -> (u64, u64) {
    let all = devices.iter().map(LocalDevice::received).chain([host_received()]);
    all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// Repeats `count` until khor agrees exactly with the kernel. An attempt may fail for two reasons.
/// khor also counts packets in other namespaces, which belong to other programs or, in a virtual
/// machine, to earlier tests. A shielded PID 1 may hide a packet from khor (see `agreement.rs`). No
/// count may be too low by more than 5 % of the kernel's count plus 10.
fn agrees(count: impl Fn() -> Bracket) {
    let exact = (0..if in_vm() { ATTEMPTS_IN_VM } else { ATTEMPTS }).any(|_| {
        let counted = count();
        assert!(counted.ours + 10 >= counted.inner - counted.inner / 20, "{counted:?}");
        counted.holds()
    });
    assert!(exact, "no count was exact");
}

/// Compares khor's counts of local bytes and local packets during `work` with the counts of
/// `devices`. The work must transfer at least `least` bytes and less than twice as many.
fn local_agrees(turn: &Turn, devices: &[LocalDevice<'_>], least: u64, work: impl Fn()) {
    agrees(|| {
        let counted = bracket(|| turn.collector.sample(), Counter::LocalBytes, || received(devices).0, &work);
        assert!((least..2 * least).contains(&counted.inner), "{counted:?} of {least}");
        counted
    });
    agrees(|| bracket(|| turn.collector.sample(), Counter::LocalPackets, || received(devices).1, &work));
}

/// Connects two namespaces with a veth pair. `end` and `other_end` are the names of its ends.
pub(crate) fn connect(here: &Namespace, end: &str, there: &Namespace, other_end: &str) {
    here.command(&format!("ip link add {end} type veth peer name {other_end} netns {}", there.id()));
    here.command(&format!("ip link set {end} up"));
    there.command(&format!("ip link set {other_end} up"));
}

/// The traffic of one device of a namespace.
pub(crate) fn traffic_of(namespace: &Namespace, device: &'static str) -> Traffic {
    namespace.run(move || procfs::traffic(|name| name == device))
}

/// Sends `bytes` over TCP from one namespace to `address` in the other.
fn stream(from: &Namespace, to: &Namespace, address: &str, bytes: u64) {
    let address = format!("{address}:0");
    let listener = to.run(move || TcpListener::bind(address).expect("creating a listener"));
    let address = listener.local_addr().expect("the listener has an address");
    let sender = from.run(move || TcpStream::connect(address).expect("connecting"));
    load::transfer(sender, &listener, bytes);
}

#[test]
fn loopback_is_local_traffic() {
    let Some(turn) = turn() else { return };
    let bytes = load::scaled(BYTES);
    local_agrees(&turn, &[], bytes, || load::loopback(bytes, 1000));
}

/// Loopback traffic counts as received and sent, but not at the edge. Other programs may cause
/// traffic at the edge during the test. So the test makes several attempts, of which only one must
/// count no traffic at the edge.
#[test]
fn loopback_is_not_at_the_edge() {
    const EDGE: [Counter; 4] =
        [Counter::EdgeRxBytes, Counter::EdgeRxPackets, Counter::EdgeTxBytes, Counter::EdgeTxPackets];
    let Some(turn) = turn() else { return };
    let bytes = load::scaled(BYTES / 8);
    let untouched = (0..ATTEMPTS).any(|_| {
        let before = turn.collector.sample();
        load::loopback(bytes, 100);
        let after = turn.collector.sample();
        let moved = |counter: Counter| after.growth_since(&before, counter);
        assert!(moved(Counter::RxBytes) >= bytes && moved(Counter::TxBytes) >= bytes);
        let edge = EDGE.map(moved);
        println!("{edge:?}");
        edge == [0; 4]
    });
    assert!(untouched, "in every attempt there was traffic at the edge, or loopback counts there");
}

#[test]
fn veth_between_namespaces_carries_local_traffic() {
    let Some(turn) = turn() else { return };
    let (left, right) = (Namespace::new(), Namespace::new());
    connect(&left, "left", &right, "right");
    left.command("ip addr add 10.99.0.1/24 dev left");
    right.command("ip addr add 10.99.0.2/24 dev right");
    let devices = [LocalDevice::veth(&left, "left"), LocalDevice::veth(&right, "right")];
    let bytes = load::scaled(BYTES);
    local_agrees(&turn, &devices, bytes, || stream(&left, &right, "10.99.0.2", bytes));
}

/// The traffic goes through a bridge, as between two containers. Several devices receive each
/// packet, but it counts only at the device that does not pass it on.
#[test]
fn bridged_traffic_counts_once() {
    let Some(turn) = turn() else { return };
    let (left, right, middle) = (Namespace::new(), Namespace::new(), Namespace::new());
    connect(&left, "left", &middle, "toleft");
    connect(&right, "right", &middle, "toright");
    middle.command("ip link add bridge type bridge");
    for change in ["toleft master bridge", "toright master bridge", "bridge up"] {
        middle.command(&format!("ip link set {change}"));
    }
    left.command("ip addr add 10.98.0.1/24 dev left");
    right.command("ip addr add 10.98.0.2/24 dev right");
    let bytes = load::scaled(BYTES);
    let work = || stream(&left, &right, "10.98.0.2", bytes);
    let devices = [
        LocalDevice::veth(&left, "left"),
        LocalDevice::veth(&right, "right"),
        LocalDevice::bridge(&middle, "bridge"),
    ];
    local_agrees(&turn, &devices, bytes, work);
    // The counter of all received bytes also includes the bytes at the two ports of the bridge.
    agrees(|| {
        let ports = ["toleft", "toright"].map(|device| LocalDevice::veth(&middle, device));
        let edge = Cell::new(0);
        let sample = || {
            let sample = turn.collector.sample();
            edge.set(sample.get(Counter::EdgeRxBytes).expect("the counter is available"));
            sample
        };
        // A network card also counts headers, and counts packets before the kernel merges them. So
        // the test uses khor's own count for traffic at the edge.
        let kernel = || received(&devices).0 + received(&ports).0 - host_received().0;
        let (edge_before, counted) = {
            sample();
            (edge.get(), bracket(sample, Counter::RxBytes, kernel, work))
        };
        assert!(counted.inner >= 2 * bytes, "{counted:?}");
        Bracket { outer: counted.outer + edge.get() - edge_before, ..counted }
    });
}

/// The in-kernel programs store nothing about devices. So the counts stay exact when a device is
/// renamed, or moved to another namespace and back.
#[test]
fn moved_and_renamed_devices_count_exactly() {
    const MAC: &str = "02:00:00:00:00:02";
    let Some(turn) = turn() else { return };
    let (sender, home, abroad) = (Namespace::new(), Namespace::new(), Namespace::new());
    connect(&sender, "sender", &home, "mover");
    home.command(&format!("ip link set mover address {MAC}"));
    sender.command("ip addr add 10.97.0.1/24 dev sender");
    sender.command(&format!("ip neigh add 10.97.0.2 lladdr {MAC} dev sender nud permanent"));
    let cable = |namespace: &Namespace| {
        let ends = namespace.run(|| procfs::traffic(|device| device != "lo"));
        ends.rx_bytes - ETHERNET_HEADER_BYTES * ends.rx_packets
    };
    let all = || cable(&sender) + cable(&home) + cable(&abroad) + host_received().0;
    let journey = || {
        let socket = sender.run(|| UdpSocket::bind("10.97.0.1:0").expect("creating a socket"));
        let traffic = Background::start(move || {
            // Sending fails while the other end of the veth pair is down, because there is no
            // carrier then.
            let _ = socket.send_to(&[0; 1000], SocketAddr::from(([10, 97, 0, 2], 9)));
        });
        for _ in 0..load::scaled(10_u32) {
            for (namespace, change) in [
                (&home, "mover down".to_owned()),
                (&home, "mover name renamed".to_owned()),
                (&home, "renamed up".to_owned()),
                (&home, format!("renamed netns {}", abroad.id())),
                (&abroad, "renamed up".to_owned()),
                (&abroad, format!("renamed netns {}", home.id())),
                (&home, "renamed name mover".to_owned()),
                (&home, "mover up".to_owned()),
            ] {
                namespace.command(&format!("ip link set {change}"));
            }
        }
        drop(traffic);
    };
    agrees(|| {
        let counted = bracket(|| turn.collector.sample(), Counter::LocalBytes, all, journey);
        assert!(counted.inner >= 100_000, "{counted:?}");
        counted
    });
}
