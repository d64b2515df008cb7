//! Tests the network traffic of scopes. Each packet of a scope's sockets must count once, no matter
//! which devices carry the packet.

use khor_e2e::{Cgroup, Namespace, Subscriber, load, procfs, skip, skip::skip_outside_vm};
use khor_proto::{Availability, Counter, Scope};

use crate::{
    Turn,
    network::{connect, traffic_of},
    scoped_turn as turn,
    scopes::{counted, of, reason, subscribe},
    worker::{DATAGRAM_BYTES, Worker},
};

const DATAGRAMS: u32 = 1000;
const IPV4_HEADER_BYTES: u64 = 20;
const IPV6_HEADER_BYTES: u64 = 40;
const UDP_HEADER_BYTES: u64 = 8;
/// Number of attempts to count a stream. One attempt must be exact. The other attempts may miss
/// packets: if a program would interrupt a run of itself, the kernel skips it.
const ATTEMPTS: usize = 5;
/// Size of a TCP packet without data, in bytes: the IPv4 header, and the TCP header with the
/// time-stamp option.
const EMPTY_SEGMENT_BYTES: u64 = 52;

/// Creates a cgroup, and a subscriber to its scope. `None` if the unified hierarchy is not mounted,
/// or on the rare kernels that cannot attribute packets to a cgroup.
fn scope_of(turn: &Turn, path: &str) -> Option<(Cgroup, Subscriber)> {
    let Some(cgroup) = Cgroup::make(path) else {
        skip("needs cgroup2");
        return None;
    };
    let subscriber = subscribe(turn, Scope::only(of(&cgroup)));
    for name in [Counter::RxBytes, Counter::TxBytes, Counter::EdgeRxBytes, Counter::EdgeTxPackets] {
        if *subscriber.availability(name) != Availability::Available {
            let reason = reason(&subscriber, name);
            assert!(reason.contains("fentry"), "{name}: {reason}");
            skip_outside_vm(&reason);
            return None;
        }
    }
    Some((cgroup, subscriber))
}

/// Starts a worker in `namespace`, and moves it to `cgroup`.
fn worker_in(namespace: &Namespace, work: &str, cgroup: &Cgroup) -> Worker {
    let work = work.to_owned();
    let worker = namespace.run(move || Worker::start(&work, None));
    cgroup.take(worker.pid());
    worker
}

/// Counts the packets and bytes of the datagrams that a worker sends to `address`.
fn sent(subscriber: &mut Subscriber, namespace: &Namespace, address: &str, cgroup: &Cgroup) -> (u64, u64) {
    let mut worker = worker_in(namespace, &format!("datagrams {address} {DATAGRAMS}"), cgroup);
    let before = subscriber.sample();
    worker.work();
    let after = subscriber.sample();
    let moved = |counter: Counter| after.growth_since(&before, counter);
    let (packets, bytes) = (moved(Counter::TxPackets), moved(Counter::TxBytes));
    let edge = (moved(Counter::EdgeTxPackets), moved(Counter::EdgeTxBytes));
    assert_eq!(edge, (packets, bytes), "a unit's edge counters are its totals");
    (packets, bytes)
}

/// The number of packets and bytes that khor must count for [`DATAGRAMS`] datagrams, if their
/// network header has `header` bytes.
fn expected(header: u64) -> (u64, u64) {
    let packets = u64::from(DATAGRAMS);
    (packets, packets * (DATAGRAM_BYTES as u64 + UDP_HEADER_BYTES + header))
}

#[test]
fn scope_lacks_local_traffic_with_reason() {
    let Some(turn) = turn() else { return };
    let Some(cgroup) = Cgroup::make("/khor-test-local") else { return skip("needs cgroup2") };
    let mut subscriber = subscribe(&turn, Scope::only(of(&cgroup)));
    for name in [Counter::LocalBytes, Counter::LocalPackets] {
        assert_eq!(
            reason(&subscriber, name),
            "local traffic is counted at devices, but a scope's traffic at its sockets"
        );
        assert_eq!(subscriber.sample().get(name), None);
    }
}

/// The test sends unicast and multicast datagrams over IPv4, and unicast datagrams over IPv6.
#[test]
fn sent_datagram_of_scope_counts_once() {
    let Some(turn) = turn() else { return };
    let Some((cgroup, mut subscriber)) = scope_of(&turn, "/khor-test-datagrams") else { return };
    let namespace = Namespace::new();
    namespace.command("ip route add 224.0.0.0/4 dev lo");
    for (address, header) in [
        ("127.0.0.1:9", IPV4_HEADER_BYTES),
        ("239.1.2.3:9", IPV4_HEADER_BYTES),
        ("[::1]:9", IPV6_HEADER_BYTES),
    ] {
        assert_eq!(sent(&mut subscriber, &namespace, address, &cgroup), expected(header), "{address}");
    }
    let other = Cgroup::make("/khor-test-datagrams-of-others").expect("creating a cgroup");
    assert_eq!(sent(&mut subscriber, &namespace, "127.0.0.1:9", &other), (0, 0));
}

/// If khor counted at devices, each packet would count twice: at the tunnel or bond, and at the
/// device below.
#[test]
fn stacked_devices_count_packet_once_per_scope() {
    let Some(turn) = turn() else { return };
    let Some((cgroup, mut subscriber)) = scope_of(&turn, "/khor-test-stacked") else { return };
    let (left, right) = (Namespace::new(), Namespace::new());
    connect(&left, "left", &right, "right");
    connect(&left, "port", &right, "toport");
    for command in [
        "addr add 10.96.0.1/24 dev left",
        "link add tunnel type ipip local 10.96.0.1 remote 10.96.0.2",
        "addr add 10.95.0.1/24 dev tunnel",
        "link set tunnel up",
        "link add bond type bond mode balance-rr",
        "link set port down",
        "link set port master bond",
        "addr add 10.94.0.1/24 dev bond",
        "link set bond up",
    ] {
        left.command(&format!("ip {command}"));
    }
    right.command("ip addr add 10.96.0.2/24 dev right");
    right.command("ip addr add 10.94.0.2/24 dev toport");
    for address in ["10.96.0.2:9", "10.95.0.2:9", "10.94.0.2:9"] {
        let counted = sent(&mut subscriber, &left, address, &cgroup);
        assert_eq!(counted, expected(IPV4_HEADER_BYTES), "{address}");
    }
    let through = |device| traffic_of(&left, device).tx_packets;
    assert!(through("tunnel") >= u64::from(DATAGRAMS) && through("bond") >= u64::from(DATAGRAMS));
}

/// All packets in the namespace belong to the worker, including acknowledgements and answers to
/// connection requests. There is one exception: the last FIN may arrive when its connection is in
/// `TIME_WAIT` and no longer has a socket. Then this FIN and its answer belong to no scope.
#[test]
fn stream_counts_exactly_for_its_socket() {
    let Some(turn) = turn() else { return };
    let Some((cgroup, mut subscriber)) = scope_of(&turn, "/khor-test-stream") else { return };
    let bytes = load::scaled(16_u32 << 20);
    let namespace = Namespace::new();
    let mut worker = worker_in(&namespace, &format!("loopback {bytes}"), &cgroup);
    let exact = (0..ATTEMPTS).any(|_| {
        let (before, first) = (namespace.run(procfs::ip_traffic), subscriber.sample());
        worker.work();
        let (after, last) = (namespace.run(procfs::ip_traffic), subscriber.sample());
        let moved = |counter: Counter| last.growth_since(&first, counter);
        let sent = (moved(Counter::TxBytes), moved(Counter::TxPackets));
        let received = (moved(Counter::RxBytes), moved(Counter::RxPackets));
        let kernel_sent = (after.tx_bytes - before.tx_bytes, after.tx_packets - before.tx_packets);
        let kernel_received = (after.rx_bytes - before.rx_bytes, after.rx_packets - before.rx_packets);
        println!("sent {sent:?} of {kernel_sent:?}, received {received:?} of {kernel_received:?}");
        assert!(sent.0 >= u64::from(bytes) && received.0 >= u64::from(bytes));
        let agrees = |ours: (u64, u64), kernel: (u64, u64)| {
            ours == kernel || ours == (kernel.0 - EMPTY_SEGMENT_BYTES, kernel.1 - 1)
        };
        agrees(sent, kernel_sent) && agrees(received, kernel_received)
    });
    assert!(exact, "no attempt agreed with the kernel's count");
}

#[test]
fn packets_belong_only_to_sockets_scope() {
    let Some(turn) = turn() else { return };
    let Some((_cgroup, mut subscriber)) = scope_of(&turn, "/khor-test-d") else { return };
    let other = Cgroup::make("/khor-test-e").expect("creating a cgroup");
    let namespace = Namespace::new();
    let work = format!("loopback {}", load::scaled(16_u32 << 20));
    let mut outside = worker_in(&namespace, &work, &other);
    for name in [Counter::TxBytes, Counter::RxBytes] {
        assert_eq!(counted(&mut subscriber, name, || outside.work()), 0, "{name}");
    }
}
