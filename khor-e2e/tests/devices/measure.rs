//! What both sources count while a piece of work runs.
//!
//! The collector counts the whole kernel, hence also the cards and tunnels of the namespace "outside", which stands for
//! other machines. What these did by their own counters is subtracted. `/proc` shows one namespace, the machine's.

use std::ops::{RangeInclusive, Sub};
use std::thread;
use std::time::Duration;

use khor_e2e::engine::program;
use khor_e2e::{Bracket, Collector, Engine, Reading, procfs, wait_until};
use khor_patience::progress;
use khor_proto::counter;

use crate::world::{OUTSIDE_CARDS, OWN_CARDS, outside};

/// Link-layer header. The cards count it in both directions, the collector only in what is sent.
const ETHERNET_BYTES: u64 = 14;
/// Between two looks at counters that are to stand still.
const QUIET: Duration = Duration::from_millis(100);

/// The collector, and an engine that reads `/proc`.
pub(crate) struct Sources {
    collector: Collector,
    engine: Engine,
}

/// Bytes that a source counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) rx: u64,
    pub(crate) tx: u64,
    pub(crate) local: u64,
    pub(crate) read: u64,
    pub(crate) written: u64,
}

/// The counters of [`Counts`], by their names.
const COUNTERS: [&str; 5] = [
    counter::EDGE_RX_BYTES,
    counter::EDGE_TX_BYTES,
    counter::LOCAL_BYTES,
    counter::READ_BYTES,
    counter::WRITE_BYTES,
];

impl From<[u64; 5]> for Counts {
    fn from([rx, tx, local, read, written]: [u64; 5]) -> Self {
        Self { rx, tx, local, read, written }
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            rx: self.rx - before.rx,
            tx: self.tx - before.tx,
            local: self.local - before.local,
            read: self.read - before.read,
            written: self.written - before.written,
        }
    }
}

/// What both sources counted while some work ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) collector: Counts,
    pub(crate) proc: Counts,
}

impl Measured {
    /// Prints a row of the table and fails unless `should_be` holds what both sources counted.
    pub(crate) fn check<const N: usize>(
        &self,
        row: &str,
        should_be: [(&str, fn(Counts) -> u64, RangeInclusive<u64>); N],
    ) {
        let cells = |counts: Counts| should_be.each_ref().map(|(_, of, _)| mebibytes(of(counts))).join(" / ");
        let names = should_be.each_ref().map(|(name, ..)| *name).join(" / ");
        println!("ROW | {row}: {names} | {} | {} |", cells(self.collector), cells(self.proc));
        for (name, of, range) in &should_be {
            for (source, counts) in [("the collector", self.collector), ("/proc", self.proc)] {
                let counted = of(counts);
                assert!(range.contains(&counted), "{row}: {name} by {source} is {counted}, not in {range:?}");
            }
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / f64::from(1 << 20))
}

impl Sources {
    pub(crate) fn start() -> Self {
        let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
        let engine = Engine::start(collector.socket(), &["--no-bpf", "--no-audio"], &[]);
        engine.wait_for_source("proc");
        Self { collector, engine }
    }

    /// Measures `work`. The collector's counts at the edge must be those of all cards, to the byte and packet.
    pub(crate) fn measure(&self, work: impl FnOnce()) -> Measured {
        progress("measuring");
        let proc_before = self.proc();
        let before = Instant::now(&self.collector);
        work();
        let after = Instant::now(&self.collector);
        let proc = self.proc() - proc_before;
        assert_exact(&before, &after);
        let mut collector = after.counts() - before.counts();
        let others = |select: fn(&World) -> procfs::Traffic| select(&after.world) - select(&before.world);
        let cards = others(|world| world.outside);
        // Merging is off on the cards, so each packet lacks its own link-layer header.
        collector.rx -= cards.rx_bytes - ETHERNET_BYTES * cards.rx_packets;
        collector.tx -= cards.tx_bytes;
        collector.local -= others(|world| world.outside_local).rx_bytes;
        Measured { collector, proc }
    }

    /// What the `/proc` source has counted, in a reading that it began after this call.
    fn proc(&self) -> Counts {
        let switches = || self.scrape(&["switches"])[0];
        for _ in 0..2 {
            let before = switches();
            wait_until("a frame of the /proc source", || {
                thread::sleep(QUIET);
                switches() > before
            });
        }
        Counts::from(self.scrape(&COUNTERS))
    }

    fn scrape<const N: usize>(&self, names: &[&str; N]) -> [u64; N] {
        let text = String::from_utf8(self.engine.read("/metrics", usize::MAX)).expect("text");
        let value = |name: &str| {
            let series = format!("khor_{name}_total ");
            let value = text.lines().find_map(|line| line.strip_prefix(&series));
            let value = value.unwrap_or_else(|| panic!("the /proc source has no {name}"));
            value.parse::<f64>().expect("a number") as u64
        };
        names.map(value)
    }
}

/// The counters of devices.
#[derive(Clone, Copy, Debug, PartialEq)]
struct World {
    own: procfs::Traffic,
    outside: procfs::Traffic,
    /// Devices of the outside that are not at its edge and receive packets for good.
    outside_local: procfs::Traffic,
}

impl World {
    fn now() -> Self {
        let (others, other_local) = outside().run(|| {
            let local = |name: &str| ["lo", "khor-wg"].contains(&name);
            (procfs::traffic(|name| OUTSIDE_CARDS.contains(&name)), procfs::traffic(local))
        });
        let own = procfs::traffic(|name| OWN_CARDS.contains(&name));
        Self { own, outside: others, outside_local: other_local }
    }

    /// Waits until no card counts any more, since acknowledgements arrive after the data.
    fn quiet() -> Self {
        let mut last = Self::now();
        wait_until("quiet cards", || {
            thread::sleep(QUIET);
            let before = std::mem::replace(&mut last, Self::now());
            before == last
        });
        last
    }

    /// Received and sent bytes and packets of all cards, as the collector counts them.
    fn edge(&self) -> [u64; 4] {
        let all = self.own + self.outside;
        [all.rx_bytes - ETHERNET_BYTES * all.rx_packets, all.rx_packets, all.tx_bytes, all.tx_packets]
    }
}

/// A sample of the collector, between two readings of the cards.
struct Instant {
    before: World,
    reading: Reading,
    world: World,
}

impl Instant {
    fn now(collector: &Collector) -> Self {
        let before = World::quiet();
        let reading = collector.sample();
        Self { before, reading, world: World::now() }
    }

    fn get(&self, name: &str) -> u64 {
        self.reading.get(name).unwrap_or_else(|| panic!("the collector has no {name}"))
    }

    fn counts(&self) -> Counts {
        Counts::from(COUNTERS.map(|name| self.get(name)))
    }
}

/// Asserts that the collector's counts at the edge are the sums of all cards' own counts.
fn assert_exact(first: &Instant, last: &Instant) {
    let names =
        [counter::EDGE_RX_BYTES, counter::EDGE_RX_PACKETS, counter::EDGE_TX_BYTES, counter::EDGE_TX_PACKETS];
    for (index, name) in names.into_iter().enumerate() {
        let between = |first: &World, last: &World| last.edge()[index] - first.edge()[index];
        let counted = Bracket {
            inner: between(&first.world, &last.before),
            ours: last.get(name) - first.get(name),
            outer: between(&first.before, &last.world),
        };
        println!("{name}: {counted:?}");
        assert!(counted.holds(), "{name} is not the cards' own count: {counted:?}");
    }
}
