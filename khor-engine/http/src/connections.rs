//! Limits the number of connections, so that one client cannot use all of them.
//!
//! A stranger is a client that the server has not admitted yet, such as another user of this
//! machine. All strangers together may use only a small share of the connections. The remaining
//! connections are reserved for the engine's own user, root and admitted clients.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use khor_system::peer::Peer;
use parking_lot::Mutex;

/// Largest number of connections. For comparison, a browser uses six.
pub const MAX_CONNECTIONS: usize = 128;
/// Largest number of connections of all strangers together.
pub(super) const MAX_STRANGERS: usize = 32;
/// Largest number of connections of one stranger, which is a user or an address.
pub(super) const MAX_PER_STRANGER: usize = 16;

/// Counts and limits the connections of a listener.
#[derive(Debug, Default)]
pub(super) struct ConnectionSlots(Mutex<Taken>);

/// The numbers of open connections.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// The number of connections of each stranger.
    strangers: HashMap<Peer, usize>,
}

impl Taken {
    /// Decreases the number of this stranger's connections by one.
    fn remove_stranger(&mut self, peer: Peer) {
        let count = self.strangers.entry(peer).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.strangers.remove(&peer);
        }
    }
}

/// The slot of one connection. Dropping this value frees the slot.
#[derive(Debug)]
pub struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    peer: Peer,
    is_admitted: AtomicBool,
}

impl ConnectionSlots {
    /// Takes a slot for a new connection; `None` if this peer has reached its limit.
    pub(super) fn take(self: &Arc<Self>, peer: Peer) -> Option<Arc<ConnectionSlot>> {
        let mut taken = self.0.lock();
        let is_owner = peer.is_owner();
        let strangers: usize = taken.strangers.values().sum();
        let of_peer = taken.strangers.get(&peer).copied().unwrap_or_default();
        let has_room = is_owner || (strangers < MAX_STRANGERS && of_peer < MAX_PER_STRANGER);
        if !has_room || taken.all >= MAX_CONNECTIONS {
            return None;
        }
        taken.all += 1;
        if !is_owner {
            taken.strangers.insert(peer, of_peer + 1);
        }
        Some(Arc::new(ConnectionSlot {
            slots: Arc::clone(self),
            peer,
            is_admitted: AtomicBool::new(is_owner),
        }))
    }
}

impl ConnectionSlot {
    /// The client at the other end of the connection.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Marks the client as admitted. Its connection no longer counts as a stranger's.
    pub fn mark_admitted(&self) {
        if !self.is_admitted.swap(true, Ordering::Relaxed) {
            self.slots.0.lock().remove_stranger(self.peer);
        }
    }
}

#[cfg(any(test, feature = "testing"))]
impl ConnectionSlot {
    /// Creates the slot of a connection from `peer`, as if no other connections were open.
    pub fn of(peer: Peer) -> Arc<Self> {
        Arc::new(ConnectionSlots::default()).take(peer).expect("a free slot")
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock();
        taken.all -= 1;
        if !self.is_admitted.load(Ordering::Relaxed) {
            taken.remove_stranger(self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Peer = Peer::User(0);

    fn take(slots: &Arc<ConnectionSlots>, peer: Peer, count: usize) -> Vec<Arc<ConnectionSlot>> {
        (0..count).filter_map(|_| slots.take(peer)).collect()
    }

    #[test]
    fn strangers_leave_room_for_the_owner() {
        let slots = Arc::new(ConnectionSlots::default());
        let nobody = take(&slots, Peer::User(4_294_967_294), 200);
        assert_eq!(nobody.len(), MAX_PER_STRANGER);
        let unknown = take(&slots, Peer::Unknown, 200);
        assert_eq!(nobody.len() + unknown.len(), MAX_STRANGERS);
        assert!(slots.take(Peer::User(4_294_967_293)).is_none());
        let owner = take(&slots, OWNER, 200);
        assert_eq!(owner.len(), MAX_CONNECTIONS - MAX_STRANGERS);
        drop(nobody);
        assert!(slots.take(Peer::User(4_294_967_293)).is_some());
    }

    #[test]
    fn admitted_client_frees_strangers_share() {
        let slots = Arc::new(ConnectionSlots::default());
        let peer = Peer::User(4_294_967_294);
        let mut held = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            let slot = slots.take(peer).unwrap();
            slot.mark_admitted();
            slot.mark_admitted();
            held.push(slot);
        }
        assert!(slots.take(peer).is_none());
        held.clear();
        assert_eq!(take(&slots, peer, 200).len(), MAX_PER_STRANGER);
    }
}
