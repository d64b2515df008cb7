//! What each client may learn: everything for root and trusted users, less for other members of the
//! group.
//!
//! Counts reveal more than load when they are taken often enough: the switches of another user's
//! terminal show when keys are pressed. So other members get samples at common multiples of 100 ms
//! only, no program starts, and no process that is not their own.

use std::collections::BTreeSet;

use nix::unistd::getuid;

use crate::privilege;

/// The users whom the administrator trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trusted {
    uids: BTreeSet<u32>,
}

/// The user on the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Peer {
    pub(crate) uid: u32,
    /// Whether it is root or a user whom the administrator trusts.
    pub(crate) trusted: bool,
}

impl Trusted {
    /// Root, the user who started this process, and `users`: names or numbers. A name that does not
    /// exist is logged and trusts nobody, because the directory that knows it may start later than
    /// the collector.
    ///
    /// Reads the user database, so it must be called before the filter of system calls is in force.
    pub(crate) fn find(users: &[String]) -> Self {
        let mut uids = BTreeSet::from([0, getuid().as_raw()]);
        for user in users.iter().map(|user| user.trim()).filter(|user| !user.is_empty()) {
            let found = || privilege::find_user(user).map(|found| found.uid.as_raw());
            if let Some(uid) = user.parse().ok().or_else(found) {
                uids.insert(uid);
            } else {
                tracing::warn!("--trust {user:?}: no such user; check KHOR_TRUST, or name the user's number");
            }
        }
        Self { uids }
    }

    /// The peer with that number.
    pub(crate) fn peer(&self, uid: u32) -> Peer {
        Peer { uid, trusted: self.uids.contains(&uid) }
    }

    /// Nobody at all, not even root.
    #[cfg(test)]
    pub(crate) fn nobody() -> Self {
        Self::default()
    }
}

impl Peer {
    /// Samples of others' activity come at multiples of this only, ms.
    pub(crate) const GRID_MS: u16 = 100;

    /// The interval that is granted when `wished_ms` is requested. `owns_scope` tells that
    /// everything in the scope belongs to this user.
    pub(crate) fn interval_ms(self, wished_ms: u16, owns_scope: bool) -> u16 {
        if self.trusted || owns_scope { wished_ms } else { wished_ms.next_multiple_of(Self::GRID_MS) }
    }

    /// How the administrator grants everything to this user. The name is unknown here: looking it
    /// up may need system calls that the filter forbids.
    pub(crate) fn remedy(self) -> String {
        format!("the administrator can allow it with KHOR_TRUST={} in /etc/default/khor", self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_trusted_by_number_and_by_name() {
        let named = ["54321", "root", " 54322 ", "", "no-such-user"].map(str::to_owned);
        let trusted = Trusted::find(&named);
        let peers = [0, getuid().as_raw(), 54_321, 54_322].map(|uid| trusted.peer(uid).trusted);
        assert_eq!(peers, [true; 4]);
        assert!(!trusted.peer(54_323).trusted && !Trusted::nobody().peer(0).trusted);
    }

    #[test]
    fn an_untrusted_peer_gets_multiples_of_100_ms_of_what_others_do() {
        let member = Peer { uid: 1000, trusted: false };
        let granted = [5, 20, 100, 101, 250, 5000].map(|wished_ms| member.interval_ms(wished_ms, false));
        assert_eq!(granted, [100, 100, 100, 200, 300, 5000]);
        assert_eq!(member.interval_ms(5, true), 5);
        assert_eq!(Peer { trusted: true, ..member }.interval_ms(5, false), 5);
        assert!(member.remedy().contains("KHOR_TRUST=1000"));
    }
}
