//! Compares khor's computation of its own traffic with the counts of the network devices. Each test
//! uses separate network namespaces.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::mpsc,
    thread,
};

use khor_e2e::{
    load::{in_namespace, mount_sysfs},
    skip::root_or_skip,
    wait_until,
};
use khor_proto::kernel_text;
use nix::unistd::gettid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Number of bytes in the test's stream. A real listener receives as many bytes in five seconds.
const STREAM_BYTES: usize = 960_000;
/// Number of bytes in each write of the stream.
const PIECE_BYTES: usize = 4_096;
const REQUEST_BYTES: usize = 300;

/// Runs the program `ip`. Returns whether it succeeded.
fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).status().is_ok_and(|status| status.success())
}

/// Returns the counts of a device in this thread's network namespace: received bytes and packets,
/// then sent bytes and packets.
fn device(name: &str) -> [u64; 4] {
    let text = kernel_text::read("/proc/thread-self/net/dev").unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix(&format!("{name}:"))).unwrap();
    let numbers: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
    [numbers[0], numbers[1], numbers[8], numbers[9]]
}

fn rise(before: [u64; 4], after: [u64; 4]) -> [u64; 4] {
    std::array::from_fn(|i| after[i] - before[i])
}

/// Requests a stream and reads all of it.
fn listen(server: SocketAddr) {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.write_all(&[b'G'; REQUEST_BYTES]).unwrap();
    let mut sound = vec![0; STREAM_BYTES];
    stream.read_exact(&mut sound).unwrap();
}

/// Sends [`STREAM_BYTES`] to one client, piece by piece. Returns when the client has closed the
/// connection.
fn serve(listener: TcpListener, own: &Arc<OwnTraffic>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let mut stream = CountedStream::new(listener.accept().await.unwrap().0, own);
        stream.read_exact(&mut [0; REQUEST_BYTES]).await.unwrap();
        for _ in 0..STREAM_BYTES / PIECE_BYTES {
            stream.write_all(&[7; PIECE_BYTES]).await.unwrap();
            // This pause makes the kernel send each piece separately, as it does for a real
            // listener, which receives a piece every 21 ms.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stream.write_all(&vec![7; STREAM_BYTES % PIECE_BYTES]).await.unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "the client must close the connection");
    });
}

/// Writes to a client that reads nothing, until the kernel's buffers are full. Then closes the
/// connection. Returns how many bytes were written.
fn fill_and_close(listener: TcpListener, own: &Arc<OwnTraffic>) -> usize {
    const FULL: Duration = Duration::from_millis(100);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let mut stream = CountedStream::new(listener.accept().await.unwrap().0, own);
        let mut queued = 0;
        while let Ok(written) = tokio::time::timeout(FULL, stream.write(&[7; PIECE_BYTES])).await {
            queued += written.unwrap();
        }
        queued
    })
}

/// Asserts that `ours` differs from the kernel's count by at most 3 %.
fn assert_close(what: &str, ours: u64, kernel: u64) {
    println!("{what}: khor counts {ours}, the kernel {kernel}");
    assert!(ours.abs_diff(kernel) <= kernel * 3 / 100, "{what}: khor counts {ours}, the kernel {kernel}");
}

#[test]
fn loopback_stream_agrees_with_device() {
    if !root_or_skip() {
        return;
    }
    in_namespace(|| {
        let own = Arc::<OwnTraffic>::default();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (before, counted) = (device("lo"), own.amounts());
            let listener = TcpListener::bind(address).unwrap();
            let server = listener.local_addr().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| listen(server));
                serve(listener, &own);
            });
            let [bytes, packets, ..] = rise(before, device("lo"));
            let ours = own.amounts();
            assert_close("bytes", ours[4] - counted[4], bytes);
            assert_close("packets", ours[5] - counted[5], packets);
            assert_eq!(ours[..4], [0; 4], "loopback traffic must not count at the edge");
        }
    });
}

#[test]
fn veth_stream_agrees_with_device() {
    if !root_or_skip() {
        return;
    }
    let (to_client, from_server) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    // The kernel deletes both devices of a veth pair when the namespace of one of them ends. So the
    // client stays in its namespace until the test has read the counts.
    let (measured, is_measured) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            in_namespace(move || {
                ready.send(gettid()).unwrap();
                let server: SocketAddr = from_server.recv().unwrap();
                assert!(ip("addr add 10.99.78.2/24 dev khor-there") && ip("link set khor-there up"));
                wait_until("a connection to the server", || TcpStream::connect(server).is_ok());
                listen(server);
                is_measured.recv().ok();
            });
        });
        in_namespace(move || {
            mount_sysfs();
            let there = is_ready.recv().unwrap();
            assert!(ip("link add khor-here type veth peer name khor-there"));
            assert!(ip(&format!("link set khor-there netns {there}")));
            assert!(ip("addr add 10.99.78.1/24 dev khor-here") && ip("link set khor-here up"));
            let listener = TcpListener::bind("10.99.78.1:0").unwrap();
            to_client.send(listener.local_addr().unwrap()).unwrap();
            drop(listener.accept().unwrap()); // the attempt of `wait_until`
            let own = Arc::<OwnTraffic>::default();
            let before = device("khor-here");
            serve(listener, &own);
            let [received, _, sent, _] = rise(before, device("khor-here"));
            drop(measured);
            assert_close("bytes", own.amounts()[4], received + sent);
            assert_eq!(own.amounts()[..4], [0; 4], "veth traffic must not count at the edge");
        });
    });
}

#[test]
fn discovered_ssh_tunnel_counts_at_edge() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let own = Arc::<OwnTraffic>::default();
        let stream = tokio::net::TcpStream::from_std(server).unwrap();
        let mut stream = CountedStream::new(stream, &own);
        stream.write_all(&[1; 1_000]).await.unwrap();
        own.checked(&[Client { id: 1, is_sshd: true }]);
        assert_eq!(own.amounts()[..4], [0; 4]);
        stream.write_all(&[1; 5_000]).await.unwrap();
        let [rx, _, tx, tx_packets, local, _] = own.amounts();
        assert!((5_000..5_300).contains(&tx) && tx_packets == 1, "{tx} {tx_packets}");
        assert!((52..300).contains(&rx) && local > 6_000, "{rx} {local}");
    });
}

#[test]
fn bytes_queued_at_close_count() {
    if !root_or_skip() {
        return;
    }
    in_namespace(|| {
        let (own, before) = (Arc::<OwnTraffic>::default(), device("lo"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let queued = fill_and_close(listener, &own);
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), queued);
        let [bytes, ..] = rise(before, device("lo"));
        assert_close("bytes", own.amounts()[4], bytes);
    });
}
