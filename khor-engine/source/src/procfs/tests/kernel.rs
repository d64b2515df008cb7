//! Tests that the `/proc` source agrees with the kernel's counts, in network namespaces and on
//! disks.

use std::{fs, path::Path, process::Command};

use khor_e2e::{
    Namespace,
    namespace::run_command,
    network::{in_network, ip, other_network, send_datagrams, traffic},
    procfs::Traffic,
    skip::root_or_skip,
    wait_until,
};

use super::*;

const DATAGRAMS: u32 = 2_000;
const DATAGRAM_BYTES: usize = 1_000;

/// A source that reads the network namespace of this thread.
fn source() -> ProcSource {
    let mut source = ProcSource::below("/proc/thread-self", Path::new("/sys"));
    source.frame().unwrap();
    source
}

/// Returns the bytes received and sent at the edge, and the local bytes and packets.
fn counted(source: &mut ProcSource) -> [u64; 4] {
    let frame = source.frame().unwrap();
    let counters = [Counter::EdgeRxBytes, Counter::EdgeTxBytes, Counter::LocalBytes, Counter::LocalPackets];
    counters.map(|counter| frame.counters[counter.index()].unwrap())
}

/// Reads the kernel's counts of the interface `inner` in `namespace`.
fn inner_traffic(namespace: &Namespace) -> Traffic {
    namespace.run(|| traffic("inner"))
}

/// Waits until packets to `address` arrive in `namespace`. The kernel drops packets until both ends
/// of the link are up.
fn wait_for_link(address: &str, namespace: &Namespace) {
    wait_until("the link to be up", || {
        send_datagrams(address, 1, DATAGRAM_BYTES);
        inner_traffic(namespace).rx_bytes > DATAGRAM_BYTES as u64
    });
}

/// The bytes and packets that were received since `before`.
fn received(before: Traffic, now: Traffic) -> [u64; 2] {
    [now.rx_bytes - before.rx_bytes, now.rx_packets - before.rx_packets]
}

#[test]
fn loopback_counts_once_as_local() {
    if !root_or_skip() {
        return;
    }
    in_network(|| {
        let (mut source, before) = (source(), traffic("lo"));
        send_datagrams("127.0.0.1", DATAGRAMS, DATAGRAM_BYTES);
        let [rx, tx, bytes, packets] = counted(&mut source);
        assert_eq!([bytes, packets], received(before, traffic("lo")));
        assert_eq!((rx, tx), (0, 0));
        assert!(packets >= DATAGRAMS.into() && bytes >= 1_000 * packets / 2, "{bytes} in {packets}");
    });
}

#[test]
fn container_traffic_counts_once_as_local() {
    if !root_or_skip() {
        return;
    }
    in_network(|| {
        let container = other_network();
        ip("link add host type veth peer name inner");
        container.adopt("inner", "10.9.0.2/24");
        ip("addr add 10.9.0.1/24 dev host");
        ip("link set host up");
        wait_for_link("10.9.0.2", &container);
        let mut source = source();
        let before = [traffic("host"), inner_traffic(&container)];
        send_datagrams("10.9.0.2", DATAGRAMS, DATAGRAM_BYTES);
        container.run(|| send_datagrams("10.9.0.1", DATAGRAMS / 2, DATAGRAM_BYTES));
        wait_until("the same counts as the kernel's", || {
            let host = received(before[0], traffic("host"));
            let inner = received(before[1], inner_traffic(&container));
            let [rx, tx, bytes, packets] = counted(&mut source);
            assert_eq!((rx, tx), (0, 0));
            packets >= u64::from(DATAGRAMS) * 3 / 2
                && [bytes, packets] == [host[0] + inner[0], host[1] + inner[1]]
        });
    });
}

#[test]
fn bridged_packet_counts_once() {
    if !root_or_skip() {
        return;
    }
    in_network(|| {
        ip("link add bridge type bridge");
        ip("link set bridge up");
        let containers = [other_network(), other_network()];
        for (i, container) in containers.iter().enumerate() {
            ip(&format!("link add port{i} type veth peer name inner"));
            ip(&format!("link set port{i} master bridge"));
            ip(&format!("link set port{i} up"));
            container.adopt("inner", &format!("10.9.0.{}/24", i + 1));
        }
        containers[0].run(|| wait_for_link("10.9.0.2", &containers[1]));
        let mut source = source();
        let all = || [traffic("bridge"), inner_traffic(&containers[0]), inner_traffic(&containers[1])];
        let before = all();
        containers[0].run(|| send_datagrams("10.9.0.2", DATAGRAMS, DATAGRAM_BYTES));
        wait_until("the same counts as the kernel's", || {
            let parts = std::iter::zip(before, all()).map(|(before, now)| received(before, now));
            let sum = parts.fold([0, 0], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
            let [rx, tx, bytes, packets] = counted(&mut source);
            assert_eq!((rx, tx), (0, 0));
            packets >= DATAGRAMS.into() && [bytes, packets] == sum
        });
        // Besides the datagrams, a few ICMP errors and ARP packets are counted.
        let [_, _, _, packets] = counted(&mut source);
        assert!(packets < u64::from(DATAGRAMS) * 3 / 2, "{packets}");
    });
}

#[test]
fn moved_or_renamed_interface_loses_nothing() {
    if !root_or_skip() {
        return;
    }
    in_network(|| {
        let other = other_network();
        ip("link add left type veth peer name inner");
        other.adopt("inner", "10.9.0.2/24");
        ip("addr add 10.9.0.1/24 dev left");
        ip("link set left up");
        wait_for_link("10.9.0.2", &other);
        let mut source = source();
        send_datagrams("10.9.0.2", DATAGRAMS, DATAGRAM_BYTES);
        // Rename the interface before the source reads the counts of these datagrams.
        ip("link set left down");
        ip("link set left name center");
        let [.., packets] = counted(&mut source);
        assert!(packets >= DATAGRAMS.into(), "{packets}");
        // Move the interface to another namespace and back. It keeps its counts.
        ip(&format!("link set center netns {}", other.id()));
        let [.., away] = counted(&mut source);
        let here = format!("/proc/{}/task/{}/ns/net", std::process::id(), nix::unistd::gettid());
        other.run(|| ip(&format!("link set center netns {here}")));
        assert!(traffic("center").tx_packets >= DATAGRAMS.into(), "the interface kept its counts");
        ip("addr add 10.9.0.1/24 dev center");
        ip("link set center up");
        // Wait until more bytes have arrived than one datagram contains. An ARP request arrives
        // first, but it is shorter than a datagram, so it does not end the wait.
        let before = inner_traffic(&other).rx_bytes;
        wait_until("the link to be up again", || {
            send_datagrams("10.9.0.2", 1, DATAGRAM_BYTES);
            inner_traffic(&other).rx_bytes > before + DATAGRAM_BYTES as u64
        });
        let [.., returned] = counted(&mut source);
        assert!(returned - packets < 100, "{packets}, {away}, then {returned}");
        send_datagrams("10.9.0.2", DATAGRAMS, DATAGRAM_BYTES);
        let [.., after] = counted(&mut source);
        assert!(after - returned >= DATAGRAMS.into(), "{returned} then {after}");
    });
}

/// Returns the bytes that were read and written, first on the disks of this machine, then on its
/// loop devices.
fn disk_bytes() -> [[u64; 2]; 2] {
    let (mut disks, mut loops) = ([0; 2], [0; 2]);
    for line in fs::read_to_string("/proc/diskstats").unwrap().lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let folder = Path::new("/sys/block").join(words[2]);
        let has_slaves = fs::read_dir(folder.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
        let sum = match words[2] {
            name if name.starts_with("loop") => &mut loops,
            _ if folder.join("mq").exists() && !has_slaves => &mut disks,
            _ => continue,
        };
        for (sum, column) in sum.iter_mut().zip([5, 9]) {
            *sum += 512 * words[column].parse::<u64>().unwrap();
        }
    }
    [disks, loops]
}

/// A loop device over a file. It is detached when this value is dropped.
struct Loop(String);

impl Loop {
    fn over(file: &Path) -> Option<Self> {
        let output = Command::new("losetup").args(["--find", "--show"]).arg(file).output().ok()?;
        output.status.success().then(|| Self(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

/// Other programs may use the disks during the test. So the test reads the kernel's count itself,
/// before and after each reading of the source. The source's count must be between these two.
#[test]
fn loop_requests_count_at_disk_below() {
    const MIB: u64 = 1 << 20;
    if !root_or_skip() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("image");
    fs::write(&file, vec![0x5a; 64 << 20]).unwrap();
    let Some(device) = Loop::over(&file) else { return khor_e2e::skip("needs a loop device") };
    let mut source = ProcSource::new("/proc");
    let mut reading = || {
        let before = disk_bytes();
        let frame = source.frame().unwrap();
        let bytes = [Counter::ReadBytes, Counter::WriteBytes].map(|c| frame.counters[c.index()].unwrap());
        (before, bytes, disk_bytes())
    };
    for (direction, command) in [
        (1, format!("dd if=/dev/zero of={} bs=1M count=64 oflag=direct conv=fsync", device.0)),
        (0, format!("dd if={} of=/dev/null bs=1M count=64 iflag=direct", device.0)),
    ] {
        let first = reading();
        run_command(&command);
        let last = reading();
        let counted = last.1[direction] - first.1[direction];
        let least = last.0[0][direction] - first.2[0][direction];
        let most = last.2[0][direction] - first.0[0][direction];
        assert!((least..=most).contains(&counted), "{command}: {least} <= {counted} <= {most}");
        let by_loop = last.0[1][direction] - first.2[1][direction];
        assert!(by_loop >= 64 * MIB, "{command}: {by_loop}");
    }
}
