//! Tests which interfaces are at the edge. Plain files replace `/proc` and sysfs.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with files that replace `/proc` and sysfs.
struct Fake(TempDir);

impl Fake {
    fn new() -> Self {
        let fake = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(fake.0.path().join("net")).unwrap();
        fs::create_dir_all(fake.0.path().join("sys/class/net")).unwrap();
        fake
    }

    fn source(&self) -> ProcSource {
        ProcSource::below(self.0.path(), &self.0.path().join("sys"))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.path().join("sys/class/net").join(name)
    }

    /// Creates an interface with files (`name=text`) and folders (`name`) in sysfs.
    fn interface(&self, name: &str, index: u32, entries: &[&str]) {
        let folder = self.folder(name);
        fs::create_dir(&folder).unwrap();
        for (file, text) in
            [("ifindex", index.to_string()), ("iflink", index.to_string()), ("type", "1".into())]
        {
            fs::write(folder.join(file), text + "\n").unwrap();
        }
        fs::write(folder.join("uevent"), format!("INTERFACE={name}\n")).unwrap();
        for entry in entries {
            match entry.split_once('=') {
                Some((file, text)) => fs::write(folder.join(file), format!("{text}\n")).unwrap(),
                None => fs::create_dir(folder.join(entry)).unwrap(),
            }
        }
    }

    /// Sets the received and sent bytes of each interface. The numbers of packets equal the numbers
    /// of bytes.
    fn traffic(&self, interfaces: &[(&str, u64, u64)]) {
        let line = |(name, rx, tx): &(&str, u64, u64)| {
            format!("  {name}:{rx:>8} {rx} 0 0 0 0 0 0 {tx:>8} {tx} 0 0 0 0 0 0\n")
        };
        let lines: String = interfaces.iter().map(line).collect();
        fs::write(self.0.path().join("net/dev"), format!("Inter-|   Receive\n face |bytes\n{lines}"))
            .unwrap();
    }
}

/// Returns the bytes received and sent by all interfaces, the bytes received and sent at the edge,
/// and the local bytes.
fn bytes(source: &mut ProcSource) -> [Option<u64>; 5] {
    let frame = source.frame().unwrap();
    let counters =
        [Counter::RxBytes, Counter::TxBytes, Counter::EdgeRxBytes, Counter::EdgeTxBytes, Counter::LocalBytes];
    counters.map(|counter| frame.counters[counter.index()])
}

#[test]
fn edge_and_local_traffic_are_separate() {
    let fake = Fake::new();
    let names = ["lo", "eth0", "br0", "veth1", "bond0", "wg0", "eth1", "vlan5", "team0"];
    fake.interface("lo", 1, &["type=772"]);
    fake.interface("eth0", 2, &["device"]);
    fake.interface("eth1", 7, &["device", "master"]);
    fake.interface("br0", 3, &["uevent=DEVTYPE=bridge", "lower_veth1"]);
    fake.interface("veth1", 4, &["iflink=2", "brport", "master"]);
    fake.interface("bond0", 5, &["uevent=DEVTYPE=bond", "lower_eth1"]);
    fake.interface("wg0", 6, &["uevent=DEVTYPE=wireguard", "type=65534"]);
    fake.interface("vlan5", 8, &["uevent=DEVTYPE=vlan", "iflink=2", "lower_eth0"]);
    fake.interface("team0", 9, &["lower_eth1"]);
    let mut source = fake.source();
    fake.traffic(&names.map(|name| (name, 0, 0)));
    assert_eq!(bytes(&mut source), [Some(0); 5]);
    // Each count is a different power of two, so a sum shows which counts it contains.
    let counts: Vec<_> =
        names.iter().enumerate().map(|(i, name)| (*name, 1 << (2 * i), 2 << (2 * i))).collect();
    fake.traffic(&counts);
    let sum = |chosen: &[(&str, usize)]| {
        let count = |(name, way): &(&str, usize)| {
            let found = counts.iter().find(|(other, ..)| other == name).unwrap();
            [found.1, found.2][*way]
        };
        Some(chosen.iter().map(count).sum::<u64>())
    };
    let [_, _, rx, tx, local] = bytes(&mut source);
    assert_eq!(rx, sum(&[("eth0", 0), ("eth1", 0)]));
    assert_eq!(tx, sum(&[("eth0", 1), ("eth1", 1)]));
    // Packets that `veth1` sends arrive in another namespace, so they are counted as local traffic
    // at `veth1`.
    assert_eq!(local, sum(&[("lo", 0), ("br0", 0), ("wg0", 0), ("veth1", 1)]));
}

#[test]
fn pair_in_one_namespace_counts_once() {
    let fake = Fake::new();
    fake.interface("a", 4, &["iflink=5"]);
    fake.interface("b", 5, &["iflink=4"]);
    let mut source = fake.source();
    fake.traffic(&[("a", 0, 0), ("b", 0, 0)]);
    bytes(&mut source);
    fake.traffic(&[("a", 10, 7), ("b", 7, 10)]);
    assert_eq!(bytes(&mut source), [17, 17, 0, 0, 17].map(Some));
}

#[test]
fn renamed_interface_keeps_its_traffic() {
    let fake = Fake::new();
    fake.interface("eth0", 2, &["device"]);
    let mut source = fake.source();
    fake.traffic(&[("eth0", 100, 0)]);
    bytes(&mut source);
    fs::rename(fake.folder("eth0"), fake.folder("wan")).unwrap();
    fake.traffic(&[("wan", 130, 0)]);
    assert_eq!(bytes(&mut source)[2], Some(30), "no byte is lost");
    fake.interface("eth0", 3, &["device"]);
    fake.traffic(&[("wan", 140, 0), ("eth0", 500_000_000, 0)]);
    assert_eq!(bytes(&mut source)[2], Some(40));
    for folder in ["eth0", "wan"] {
        fs::remove_dir_all(fake.folder(folder)).unwrap();
    }
    fake.interface("eth0", 2, &["device"]);
    fake.interface("wan", 3, &["device"]);
    fake.traffic(&[("eth0", 141, 0), ("wan", 500_000_002, 0)]);
    assert_eq!(bytes(&mut source)[2], Some(43), "the interfaces swapped their names");
}

#[test]
fn hotplugged_interface_changes_no_total() {
    const GB_500: u64 = 500_000_000_000;
    let fake = Fake::new();
    fake.interface("eth0", 2, &["device"]);
    fake.interface("veth3", 3, &["iflink=2"]);
    let mut source = fake.source();
    let mut totals = Vec::new();
    for (eth, veth) in [
        (100, None),
        (110, Some(GB_500)),
        (120, Some(GB_500 + 1)),
        (130, None),
        (140, Some(GB_500)),
        (3, None),
        (5, None),
    ] {
        let mut table = vec![("eth0", eth, 0)];
        table.extend(veth.map(|count| ("veth3", count, 0)));
        fake.traffic(&table);
        totals.push(bytes(&mut source)[0]);
    }
    assert_eq!(totals, [0, 10, 21, 31, 41, 41, 43].map(Some));
}

#[test]
fn interface_becoming_port_causes_no_spike() {
    let fake = Fake::new();
    fake.interface("veth1", 4, &["iflink=2"]);
    let mut source = fake.source();
    fake.traffic(&[("veth1", 1_000_000, 5_000_000)]);
    bytes(&mut source);
    fake.traffic(&[("veth1", 1_000_001, 5_000_010)]);
    assert_eq!(bytes(&mut source)[4], Some(11));
    fs::create_dir(fake.folder("veth1").join("brport")).unwrap();
    fake.traffic(&[("veth1", 1_000_101, 5_000_020)]);
    bytes(&mut source);
    fs::remove_dir(fake.folder("veth1").join("brport")).unwrap();
    fake.traffic(&[("veth1", 1_000_201, 5_000_030)]);
    bytes(&mut source);
    fake.traffic(&[("veth1", 1_000_202, 5_000_030)]);
    assert_eq!(bytes(&mut source)[4], Some(11 + 20 + 1));
}

#[test]
fn missing_sysfs_hides_edge_traffic() {
    let fake = Fake::new();
    let mut source = ProcSource::below(fake.0.path(), &fake.0.path().join("none"));
    fake.traffic(&[("eth0", 1, 0)]);
    bytes(&mut source);
    fake.traffic(&[("eth0", 3, 0)]);
    assert_eq!(bytes(&mut source), [Some(2), Some(0), None, None, None]);
    for counter in [Counter::EdgeRxBytes, Counter::EdgeTxPackets, Counter::LocalBytes] {
        let reason = reason(&mut source, counter);
        assert!(reason.contains("class/net is not readable") && reason.contains("mount sysfs"), "{reason}");
    }
    fake.interface("lo", 1, &[]);
    let mut elsewhere = fake.source();
    assert_eq!(bytes(&mut elsewhere)[2..], [None; 3]);
    let reason = reason(&mut elsewhere, Counter::LocalBytes);
    assert!(reason.contains("shows another network namespace"), "{reason}");
}
