//! Reads three kinds of traffic from `/proc/net/dev`: the traffic of all interfaces, the traffic at
//! the machine's edge, and local traffic.
//!
//! `/proc` shows only one network namespace. Traffic between this and another namespace is counted
//! if it passes through a pair of connected interfaces, one of which is in this namespace. Traffic
//! within another namespace is not counted.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use khor_proto::kernel_text;
use khor_signal::{Accumulator, Counter, Counters};

use super::{
    interfaces::{Interface, Interfaces, Seen},
    links::LinkWatch,
    set::set,
};

/// Received bytes and packets, then sent bytes and packets.
type Traffic = [u64; 4];

/// The key of an interface in an accumulator. It is the interface's index, which does not change
/// when the interface is renamed. Without sysfs, the index is unknown, and the key is the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Device {
    Numbered(u32),
    Named(String),
}

/// The index of an interface at the edge, and its counts.
type AtEdge = (u32, Traffic);

/// An interface inside the machine and a direction, with the bytes and packets of its local traffic
/// in that direction.
type Inside = ((u32, Way), [u64; 2]);

/// The direction of local traffic at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Received,
    Sent,
}

/// Adds up the traffic of all interfaces, at the machine's edge, and inside the machine.
#[derive(Debug)]
pub(super) struct Network {
    file: PathBuf,
    interfaces: Interfaces,
    /// Whether sysfs shows a different network namespace than `/proc`.
    is_elsewhere: bool,
    all: Accumulator<Device, 4>,
    edge: Accumulator<u32, 4>,
    local: Accumulator<(u32, Way), 2>,
}

impl Network {
    /// Creates empty counts. `proc` and `sys` are `/proc` and `/sys` except in tests.
    pub(super) fn new(proc: &Path, sys: &Path, links: LinkWatch) -> Self {
        Self {
            file: proc.join("net/dev"),
            interfaces: Interfaces::new(sys, links),
            is_elsewhere: false,
            all: Accumulator::default(),
            edge: Accumulator::default(),
            local: Accumulator::default(),
        }
    }

    /// Why traffic at the edge is missing although `net/dev` is readable, and how to fix that.
    pub(super) fn unknown_edge(&self) -> String {
        let trouble = if self.is_elsewhere { "shows another network namespace" } else { "is not readable" };
        format!(
            "{} {trouble}, so khor cannot distinguish outside traffic from local traffic; mount sysfs at /sys in \
             this namespace",
            self.interfaces.folder().display()
        )
    }

    /// Reads `net/dev`, and sets the counters of traffic.
    pub(super) fn read(&mut self, counters: &mut Counters) {
        let (text, seen) = self.interfaces.during(|| kernel_text::read(&self.file));
        let Ok(text) = text else { return };
        let table: Vec<(String, Traffic)> = text.lines().skip(2).filter_map(traffic).collect();
        let is_missing =
            |known: &BTreeMap<String, Interface>| table.iter().any(|(name, _)| !known.contains_key(name));
        self.is_elsewhere = matches!(seen, Seen::All(known) if is_missing(known));
        let known = match seen {
            Seen::All(known) | Seen::Some(known) if !self.is_elsewhere => Some(known),
            _ => None,
        };
        let number = |name: &String| Some(known?.get(name)?.index);
        let devices = table.iter().map(|(name, traffic)| {
            let device = number(name).map_or_else(|| Device::Named(name.clone()), Device::Numbered);
            (device, *traffic)
        });
        let names = [Counter::RxBytes, Counter::RxPackets, Counter::TxBytes, Counter::TxPackets];
        for (counter, total) in names.into_iter().zip(self.all.take(devices)) {
            set(counters, counter, Some(total));
        }
        let Some(known) = known else {
            self.edge.forget_devices();
            self.local.forget_devices();
            return;
        };
        let (edge, local) = split(&table, known);
        let names =
            [Counter::EdgeRxBytes, Counter::EdgeRxPackets, Counter::EdgeTxBytes, Counter::EdgeTxPackets];
        for (counter, total) in names.into_iter().zip(self.edge.take(edge)) {
            set(counters, counter, Some(total));
        }
        let names = [Counter::LocalBytes, Counter::LocalPackets];
        for (counter, total) in names.into_iter().zip(self.local.take(local)) {
            set(counters, counter, Some(total));
        }
    }
}

/// Splits the counts of all interfaces into edge traffic and local traffic. Interfaces that are not
/// `known` are skipped.
fn split(table: &[(String, Traffic)], known: &BTreeMap<String, Interface>) -> (Vec<AtEdge>, Vec<Inside>) {
    let (mut edge, mut local) = (Vec::new(), Vec::new());
    for (name, traffic) in table {
        let Some(interface) = known.get(name) else { continue };
        let (index, [rx_bytes, rx_packets, tx_bytes, tx_packets]) = (interface.index, *traffic);
        if interface.is_edge {
            edge.push((index, *traffic));
        }
        if interface.receives_local {
            local.push(((index, Way::Received), [rx_bytes, rx_packets]));
        }
        if interface.sends_local {
            local.push(((index, Way::Sent), [tx_bytes, tx_packets]));
        }
    }
    (edge, local)
}

/// Parses the line of an interface. Returns its name and its counts.
fn traffic(line: &str) -> Option<(String, Traffic)> {
    let (name, numbers) = line.split_once(':')?;
    let numbers: Vec<u64> = numbers.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
    match numbers[..] {
        [rx_bytes, rx_packets, _, _, _, _, _, _, tx_bytes, tx_packets, ..] => {
            Some((name.trim().to_owned(), [rx_bytes, rx_packets, tx_bytes, tx_packets]))
        }
        _ => None,
    }
}
