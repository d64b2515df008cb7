//! Who is connected: the limits, and the figures the bus shows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

/// Connections at once, of all users.
pub(super) const MAX_CONNECTIONS: usize = 256;
/// Connections at once of one user, so that none can lock the others out.
pub(super) const MAX_CONNECTIONS_PER_USER: usize = 64;

/// How much is asked of the collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Clients that subscribe.
    pub(crate) subscribers: u32,
    /// Shortest interval any of them asks for, ms; 0 without subscribers.
    pub(crate) shortest_interval_ms: u32,
}

/// The seats and who sits on them.
#[derive(Debug, Default)]
pub(super) struct Registry {
    guests: Mutex<Guests>,
    load: watch::Sender<Load>,
}

#[derive(Debug, Default)]
struct Guests {
    next_id: u64,
    seats: HashMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    uid: u32,
    interval_ms: Option<u16>,
}

/// One admitted connection; the seat is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    registry: Arc<Registry>,
    id: u64,
    /// User on the other end.
    pub(super) uid: u32,
}

impl Registry {
    /// Takes a seat for `uid`, or says why there is none.
    pub(super) fn admit(self: &Arc<Self>, uid: u32) -> Result<Seat, &'static str> {
        let mut guests = self.guests.lock().expect("nothing panics holding it");
        if guests.seats.len() >= MAX_CONNECTIONS {
            return Err("the collector serves as many clients as it can (256): try again later");
        }
        if guests.seats.values().filter(|guest| guest.uid == uid).count() >= MAX_CONNECTIONS_PER_USER {
            return Err("this user has as many connections as one may have (64): close some");
        }
        guests.next_id += 1;
        let id = guests.next_id;
        guests.seats.insert(id, Guest { uid, interval_ms: None });
        Ok(Seat { registry: Arc::clone(self), id, uid })
    }

    /// The present load and its changes.
    pub(super) fn load(&self) -> watch::Receiver<Load> {
        self.load.subscribe()
    }

    fn change(&self, apply: impl FnOnce(&mut HashMap<u64, Guest>)) {
        let mut guests = self.guests.lock().expect("nothing panics holding it");
        apply(&mut guests.seats);
        let intervals = guests.seats.values().filter_map(|guest| guest.interval_ms);
        let load = Load {
            subscribers: intervals.clone().count() as u32,
            shortest_interval_ms: intervals.min().map_or(0, u32::from),
        };
        self.load.send_if_modified(|published| std::mem::replace(published, load) != load);
    }
}

impl Seat {
    /// Notes what the client subscribes to.
    pub(super) fn subscribed(&self, interval_ms: u16) {
        self.registry.change(|seats| {
            if let Some(guest) = seats.get_mut(&self.id) {
                guest.interval_ms = Some(interval_ms);
            }
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.change(|seats| _ = seats.remove(&self.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_per_user_and_in_all_and_come_back() {
        let registry = Arc::<Registry>::default();
        let mut seats = Vec::new();
        for uid in 0..4 {
            seats.extend((0..MAX_CONNECTIONS_PER_USER).map(|_| registry.admit(uid).unwrap()));
            assert!(registry.admit(uid).is_err());
        }
        assert!(registry.admit(99).unwrap_err().contains("256"));
        seats.pop();
        assert!(registry.admit(99).is_ok());
    }

    #[test]
    fn load_is_that_of_the_subscribers() {
        let registry = Arc::<Registry>::default();
        let load = registry.load();
        let (first, second) = (registry.admit(1).unwrap(), registry.admit(1).unwrap());
        first.subscribed(20);
        second.subscribed(100);
        assert_eq!(*load.borrow(), Load { subscribers: 2, shortest_interval_ms: 20 });
        drop(first);
        assert_eq!(*load.borrow(), Load { subscribers: 1, shortest_interval_ms: 100 });
        drop(second);
        assert_eq!(*load.borrow(), Load::default());
    }
}
