//! Classifies network interfaces with the help of sysfs: an interface is at the edge of the machine
//! (traffic with other machines) or inside it (local traffic).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use khor_system::NetDevice;

use super::links::{Changes, LinkWatch};

/// Kinds (`DEVTYPE`) of interfaces that are stacked on another interface. khor counts their
/// received packets only at the interface below.
const COUNTED_BELOW: [&str; 6] = ["bond", "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"];
/// Kinds (`DEVTYPE`) of interfaces that are stacked on another interface. khor counts their
/// received packets at the interface itself, even if the interface below counts them too.
const COUNTED_ABOVE: [&str; 3] = ["bridge", "vxlan", "macsec"];

/// A network interface, and how its traffic is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// Index of the interface. It stays the same if the interface is renamed.
    pub(super) index: u32,
    /// Whether the interface is at the edge of the machine: it has hardware, or it is the network
    /// card of a virtual machine.
    pub(super) is_edge: bool,
    /// Whether the packets that the interface receives are local traffic that no other interface
    /// counts.
    pub(super) receives_local: bool,
    /// Whether the packets that the interface sends are local traffic that only this interface
    /// counts. This is true if the interface's peer, which receives the packets, is in another
    /// namespace.
    pub(super) sends_local: bool,
    /// Index of the interface's peer, which is the other end of a pair such as veth. The peer may
    /// be in another namespace.
    peer: Option<u32>,
}

/// The interfaces of this network namespace, by name. The list is kept between readings of the
/// counters, so that sysfs is read only after changes.
#[derive(Debug)]
pub(super) struct Interfaces {
    folder: PathBuf,
    links: LinkWatch,
    known: BTreeMap<String, Interface>,
    is_stale: bool,
}

impl Interfaces {
    /// Creates an empty list. `sys` is `/sys` except in tests; its folder `class/net` is read.
    pub(super) fn new(sys: &Path, links: LinkWatch) -> Self {
        Self { folder: sys.join("class/net"), links, known: BTreeMap::new(), is_stale: true }
    }

    /// The folder in sysfs that lists the interfaces.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `read`. Returns the result of `read`, and the interfaces that existed while it ran.
    pub(super) fn during<T>(&mut self, read: impl FnOnce() -> T) -> (T, Seen<'_>) {
        let is_known = !matches!(self.update(), Update::Failed);
        let result = read();
        if !is_known {
            return (result, Seen::Nothing);
        }
        match self.update() {
            Update::Failed => (result, Seen::Nothing),
            Update::Done(before) if before != self.known => {
                self.known = steady(&before, &self.known);
                self.is_stale = true;
                (result, Seen::Some(&self.known))
            }
            Update::NotNeeded | Update::Done(_) => (result, Seen::All(&self.known)),
        }
    }

    /// Updates the list. Reads only those interfaces from sysfs that may have changed, or all
    /// interfaces if the changes are unknown.
    fn update(&mut self) -> Update {
        let changed = match self.links.changes() {
            Changes::Of(indices) if !self.is_stale => {
                if indices.is_empty() {
                    return Update::NotNeeded;
                }
                Some(indices)
            }
            Changes::Of(_) | Changes::Unknown => None,
        };
        let Ok(folder) = fs::read_dir(&self.folder) else {
            self.known.clear();
            self.is_stale = true;
            return Update::Failed;
        };
        let before = std::mem::take(&mut self.known);
        for entry in folder.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let same = before.get(&name).copied().filter(|interface| {
                changed.as_ref().is_some_and(|changed| !changed.contains(&interface.index))
            });
            let device = NetDevice::at(entry.path());
            let interface = match same {
                // The index of the peer may change when the peer moves to another namespace.
                Some(pair) if pair.peer.is_some() => Some(Interface { peer: device.link(), ..pair }),
                Some(same) => Some(same),
                None => interface(&device),
            };
            if let Some(interface) = interface {
                self.known.insert(name, interface);
            }
        }
        self.find_peers();
        self.is_stale = false;
        Update::Done(before)
    }

    /// Sets `sends_local` for the interfaces whose peer is in another namespace. If the peer is in
    /// this namespace, the packets that the interface sends are counted where the peer receives
    /// them.
    fn find_peers(&mut self) {
        let ends: BTreeMap<u32, Option<u32>> =
            self.known.values().map(|interface| (interface.index, interface.peer)).collect();
        for interface in self.known.values_mut() {
            interface.sends_local = interface
                .peer
                .is_some_and(|peer| ends.get(&peer).is_none_or(|back| *back != Some(interface.index)));
        }
    }
}

/// The result of [`Interfaces::update`].
enum Update {
    /// No interface has changed.
    NotNeeded,
    /// Sysfs was read, and the list of interfaces was replaced. Contains the previous list.
    Done(BTreeMap<String, Interface>),
    /// Sysfs cannot be read.
    Failed,
}

/// The interfaces that did not change during a reading. `before` and `after` list the interfaces
/// before and after the reading. If an interface was renamed, the result contains both names. Omits
/// a name that belonged to two different interfaces.
fn steady(
    before: &BTreeMap<String, Interface>,
    after: &BTreeMap<String, Interface>,
) -> BTreeMap<String, Interface> {
    let sides = [before, after];
    let stayed =
        |interface: &Interface| sides.iter().all(|side| side.values().any(|other| other == interface));
    let is_its_own = |name: &String, interface: &Interface| {
        sides.iter().all(|side| side.get(name).is_none_or(|other| other == interface))
    };
    sides
        .into_iter()
        .flatten()
        .filter(|(name, interface)| stayed(interface) && is_its_own(name, interface))
        .map(|(name, interface)| (name.clone(), *interface))
        .collect()
}

/// The interfaces that existed during a reading.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    /// All interfaces of the namespace.
    All(&'a BTreeMap<String, Interface>),
    /// All interfaces except those that changed during the reading.
    Some(&'a BTreeMap<String, Interface>),
    /// Sysfs cannot be read.
    Nothing,
}

/// Reads an interface from sysfs. Returns `None` if the interface was just removed, or if the entry
/// is not an interface.
fn interface(device: &NetDevice) -> Option<Interface> {
    let index = device.index()?;
    if device.has_hardware() {
        return Some(Interface {
            index,
            is_edge: true,
            receives_local: false,
            sends_local: false,
            peer: None,
        });
    }
    let kind = device.kind()?;
    let is_any = |kinds: &[&str]| kinds.contains(&kind.as_str());
    let is_counted_below = is_any(&COUNTED_BELOW) || (!is_any(&COUNTED_ABOVE) && !device.lower().is_empty());
    // A port is an interface with a master, for example a bridge or a bond. The master counts the
    // packets of its ports. But a VRF does not count the packets of its interfaces.
    let is_other_than_vrf = |master: NetDevice| master.kind().is_none_or(|kind| kind != "vrf");
    let is_port = device.is_bridge_port() || device.master().is_some_and(is_other_than_vrf);
    let link = device.link()?;
    let is_pair = link != index && !is_counted_below && kind != "vxlan" && device.is_ethernet();
    Some(Interface {
        index,
        is_edge: false,
        receives_local: !is_port && !is_counted_below,
        sends_local: false,
        peer: is_pair.then_some(link),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_interfaces_are_omitted_unless_renamed() {
        let edge =
            |index| Interface { index, is_edge: true, receives_local: false, sends_local: false, peer: None };
        let port = Interface { is_edge: false, ..edge(4) };
        let map = |interfaces: &[(&str, Interface)]| -> BTreeMap<String, Interface> {
            interfaces.iter().map(|(name, interface)| ((*name).to_owned(), *interface)).collect()
        };
        let common = [("eth0", edge(1)), ("old", edge(2)), ("a", edge(5)), ("b", edge(6))];
        let before = [&common[..], &[("gone", edge(3)), ("veth", port)]].concat();
        let veth = Interface { receives_local: true, ..port };
        let after = [("eth0", edge(1)), ("new", edge(2)), ("a", edge(6)), ("b", edge(5)), ("veth", veth)];
        let expected = map(&[("eth0", edge(1)), ("old", edge(2)), ("new", edge(2))]);
        assert_eq!(steady(&map(&before), &map(&after)), expected);
    }
}
