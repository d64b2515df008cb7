//! Measures what the collector and the `/proc` source count while a test runs its load.
//!
//! The collector counts the traffic of all network namespaces. So it also counts the traffic of the
//! cards in the namespace "outside", which represents other machines. [`Sources::measure_network`]
//! subtracts this traffic. `/proc` shows only the traffic of the machine's own namespace.

use std::{array, ops::RangeInclusive, thread, time::Duration};

use khor_e2e::{Bracket, Collector, CounterReading, Engine, Scrape, engine::program, procfs, wait_until};
use khor_patience::progress;
use khor_proto::Counter;

use crate::world::{OUTSIDE_CARDS, OWN_CARDS, outside};

/// Size of an Ethernet header. Cards count it in both directions, but the collector only for sent
/// packets.
const ETHERNET_BYTES: u64 = 14;
/// Time between two readings that show whether a counter has changed.
const QUIET: Duration = Duration::from_millis(100);

/// The counters that a network test reads.
const NETWORK: [Counter; 3] = [Counter::EdgeRxBytes, Counter::EdgeTxBytes, Counter::LocalBytes];
/// The counters that a disk test reads.
const DISKS: [Counter; 2] = [Counter::ReadBytes, Counter::WriteBytes];

/// The collector, and an engine that reads `/proc`.
pub(crate) struct Sources {
    collector: Collector,
    engine: Engine,
}

/// Bytes that the collector and the `/proc` source counted during some work, one number for each
/// counter. They are the cells of a row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured<const N: usize> {
    collector: [u64; N],
    proc: [u64; N],
}

impl<const N: usize> Measured<N> {
    /// Prints the row of the table. Panics if the collector or `/proc` counted a number of bytes
    /// that is not in `expected`.
    pub(crate) fn check(&self, row: &str, expected: [(&str, RangeInclusive<u64>); N]) {
        let cells = |counts: [u64; N]| counts.map(mebibytes).join(" / ");
        println!("ROW | {row} | {} | {} |", cells(self.collector), cells(self.proc));
        for (index, (name, range)) in expected.into_iter().enumerate() {
            for (source, counts) in [("the collector", self.collector), ("/proc", self.proc)] {
                let counted = counts[index];
                assert!(
                    range.contains(&counted),
                    "{row}: {source} counted {counted} bytes {name}, expected {range:?}"
                );
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

    /// Measures the bytes that disks read and write during `work`.
    pub(crate) fn measure_disks(&self, work: impl FnOnce()) -> Measured<2> {
        progress("measuring disks");
        let (proc_before, before) = (self.proc(DISKS), get(&self.collector.sample(), DISKS));
        work();
        let (after, proc) = (get(&self.collector.sample(), DISKS), self.proc(DISKS));
        Measured { collector: difference(before, after), proc: difference(proc_before, proc) }
    }

    /// Measures the bytes that this machine receives and sends during `work`, and its local
    /// traffic. Panics if the collector's edge counts differ from the sums of all cards.
    pub(crate) fn measure_network(&self, work: impl FnOnce()) -> Measured<3> {
        progress("measuring the network");
        let (proc_before, before) = (self.proc(NETWORK), Moment::now(&self.collector));
        work();
        let (after, proc) = (Moment::now(&self.collector), self.proc(NETWORK));
        assert_exact(&before, &after);
        let outside = after.cards.outside - before.cards.outside;
        let [rx, tx, local] = difference(get(&before.reading, NETWORK), get(&after.reading, NETWORK));
        // The collector counts each received packet without its Ethernet header.
        let outside_rx = outside.rx_bytes - ETHERNET_BYTES * outside.rx_packets;
        let collector = [rx - outside_rx, tx - outside.tx_bytes, local];
        Measured { collector, proc: difference(proc_before, proc) }
    }

    /// The counts of the `/proc` source, from a reading that begins after this call.
    fn proc<const N: usize>(&self, counters: [Counter; N]) -> [u64; N] {
        let switches = || self.scrape([Counter::Switches]);
        for _ in 0..2 {
            let before = switches();
            wait_until("a frame of the /proc source", || {
                thread::sleep(QUIET);
                switches() > before
            });
        }
        self.scrape(counters)
    }

    fn scrape<const N: usize>(&self, counters: [Counter; N]) -> [u64; N] {
        let scrape = Scrape::of(&self.engine);
        counters.map(|counter| scrape.total(counter))
    }
}

fn get<const N: usize>(reading: &CounterReading, counters: [Counter; N]) -> [u64; N] {
    counters.map(|counter| reading.get(counter).unwrap_or_else(|| panic!("the collector has no {counter}")))
}

fn difference<const N: usize>(before: [u64; N], after: [u64; N]) -> [u64; N] {
    array::from_fn(|index| after[index] - before[index])
}

/// The kernel's counts: the sums over this machine's cards, and over the cards of the namespace
/// "outside".
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cards {
    own: procfs::Traffic,
    outside: procfs::Traffic,
}

impl Cards {
    fn now() -> Self {
        let own = procfs::traffic(|name| OWN_CARDS.contains(&name));
        Self { own, outside: outside().run(|| procfs::traffic(|name| OUTSIDE_CARDS.contains(&name))) }
    }

    /// Waits until all cards stop counting, because acknowledgements arrive after the data.
    fn quiet() -> Self {
        let mut last = Self::now();
        wait_until("the counters of all cards to stop", || {
            thread::sleep(QUIET);
            let before = std::mem::replace(&mut last, Self::now());
            before == last
        });
        last
    }

    /// The edge counts that the collector should have for these cards, in the order of [`EDGE`].
    fn edge(&self) -> [u64; 4] {
        let all = self.own + self.outside;
        [all.rx_bytes - ETHERNET_BYTES * all.rx_packets, all.rx_packets, all.tx_bytes, all.tx_packets]
    }
}

/// The collector's counters of the traffic at the machine's edge, that is, through its network
/// cards.
const EDGE: [Counter; 4] =
    [Counter::EdgeRxBytes, Counter::EdgeRxPackets, Counter::EdgeTxBytes, Counter::EdgeTxPackets];

/// A sample of the collector, and the cards' counts just before and just after it.
struct Moment {
    cards_before: Cards,
    reading: CounterReading,
    cards: Cards,
}

impl Moment {
    fn now(collector: &Collector) -> Self {
        let cards_before = Cards::quiet();
        let reading = collector.sample();
        Self { cards_before, reading, cards: Cards::now() }
    }
}

/// Asserts that the collector's edge counts equal the sums of all cards' counts. The collector may
/// miss events on a preemptible kernel, so its counts may be lower there.
fn assert_exact(first: &Moment, last: &Moment) {
    let inner = difference(first.cards.edge(), last.cards_before.edge());
    let ours = difference(get(&first.reading, EDGE), get(&last.reading, EDGE));
    let outer = difference(first.cards_before.edge(), last.cards.edge());
    for (index, name) in EDGE.into_iter().enumerate() {
        let counted = Bracket { inner: inner[index], ours: ours[index], outer: outer[index] };
        println!("{name}: {counted:?}");
        let may_miss = procfs::is_preemptible() && counted.ours <= counted.outer;
        assert!(counted.holds() || may_miss, "{name} differs from the count of the cards: {counted:?}");
    }
}
