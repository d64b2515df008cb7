//! Limits the total number of connections and the number of each user's connections. Some
//! connections are reserved for root and trusted users.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::trust::Peer;

/// Maximum number of connections of all users.
pub(super) const MAX_CONNECTIONS: usize = 256;
/// Number of connections that are reserved for root, so that the administrator can always connect.
const KEPT_FOR_ROOT: usize = 8;
/// Number of connections that are reserved for root and trusted users, in addition to
/// [`KEPT_FOR_ROOT`].
const KEPT_FOR_TRUSTED: usize = 24;
/// Maximum number of connections of root or of one trusted user.
pub(super) const MAX_CONNECTIONS_PER_TRUSTED: usize = 64;
/// Maximum number of connections of an untrusted user. It prevents one user from taking all
/// connections.
pub(super) const MAX_CONNECTIONS_PER_USER: usize = 16;

/// Counts the connections of each user.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimit {
    taken: Mutex<HashMap<u32, usize>>,
}

/// The permission for one connection. Dropping this value makes room for another connection.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limit: Arc<ConnectionLimit>,
    /// The user at the other end of the connection.
    pub(super) peer: Peer,
}

impl ConnectionLimit {
    /// Permits a connection of `peer`, or returns the reason why it is rejected.
    pub(super) fn admit(self: &Arc<Self>, peer: Peer) -> Result<ConnectionPermit, String> {
        let mut taken = self.taken.lock();
        let all: usize = taken.values().sum();
        let of_user = taken.get(&peer.uid).copied().unwrap_or(0);
        let (kept, most) = match peer {
            Peer { uid: 0, .. } => (0, MAX_CONNECTIONS_PER_TRUSTED),
            Peer { trusted: true, .. } => (KEPT_FOR_ROOT, MAX_CONNECTIONS_PER_TRUSTED),
            _ => (KEPT_FOR_ROOT + KEPT_FOR_TRUSTED, MAX_CONNECTIONS_PER_USER),
        };
        if all >= MAX_CONNECTIONS - kept {
            let most = MAX_CONNECTIONS - kept;
            return Err(format!("the collector has reached its limit of {most} clients: try again later"));
        }
        if of_user >= most {
            return Err(format!("this user has reached the limit of {most} connections: close some"));
        }
        taken.insert(peer.uid, of_user + 1);
        Ok(ConnectionPermit { limit: Arc::clone(self), peer })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.limit.taken.lock();
        match taken.get_mut(&self.peer.uid) {
            Some(limit @ 2..) => *limit -= 1,
            _ => _ = taken.remove(&self.peer.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    fn peer(uid: u32) -> Peer {
        Peer { uid, trusted: uid < 10 }
    }

    /// The limits that apply to `peer`: first the maximum number of connections of all users
    /// together, then the maximum number of this user's connections.
    fn limits(peer: Peer) -> (usize, usize) {
        match peer {
            Peer { uid: 0, .. } => (256, 64),
            Peer { trusted: true, .. } => (248, 64),
            Peer { .. } => (224, 16),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// In each operation, some connections close, and then one user opens several new ones.
        #[test]
        fn limits_hold_in_any_order(ops in vec((0u32..20, 1usize..40, vec(any::<Index>(), 0..20)), 1..60)) {
            let limit = Arc::<ConnectionLimit>::default();
            let mut open: Vec<ConnectionPermit> = Vec::new();
            for (uid, requests, closed) in ops {
                for index in closed.into_iter().take(open.len()) {
                    open.swap_remove(index.index(open.len()));
                }
                for _ in 0..requests {
                    let of_user = open.iter().filter(|permit| permit.peer.uid == uid).count();
                    let (of_all, of_each) = limits(peer(uid));
                    let admitted = limit.admit(peer(uid));
                    prop_assert_eq!(admitted.is_ok(), open.len() < of_all && of_user < of_each);
                    open.extend(admitted);
                }
            }
            drop(open);
            prop_assert!(limit.taken.lock().is_empty(), "all connections are released");
        }
    }

    #[test]
    fn connections_are_limited_and_released() {
        let limit = Arc::<ConnectionLimit>::default();
        let mut taken = Vec::new();
        for uid in 1..4 {
            taken.extend((0..MAX_CONNECTIONS_PER_TRUSTED).map(|_| limit.admit(peer(uid)).unwrap()));
            assert!(limit.admit(peer(uid)).unwrap_err().contains("64"));
        }
        taken.extend((0..64 - KEPT_FOR_ROOT).map(|_| limit.admit(peer(9)).unwrap()));
        assert!(limit.admit(peer(8)).unwrap_err().contains("248"));
        let roots: Vec<_> = (0..KEPT_FOR_ROOT).map(|_| limit.admit(peer(0)).unwrap()).collect();
        assert!(limit.admit(peer(0)).unwrap_err().contains("256"));
        drop(roots);
        taken.pop();
        assert!(limit.admit(peer(8)).is_ok());
    }

    #[test]
    fn untrusted_users_get_16_and_leave_room() {
        let limit = Arc::<ConnectionLimit>::default();
        let mut taken = Vec::new();
        for uid in 1000..1014 {
            taken.extend((0..MAX_CONNECTIONS_PER_USER).map(|_| limit.admit(peer(uid)).unwrap()));
            let refusal = limit.admit(peer(uid)).unwrap_err();
            assert!(taken.len() == 224 || refusal.contains("16"), "{refusal}");
        }
        assert!(limit.admit(peer(1014)).unwrap_err().contains("224"));
        assert!(limit.admit(peer(1)).is_ok() && limit.admit(peer(0)).is_ok());
    }
}
