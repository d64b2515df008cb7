//! Decides which clients are trusted. Root and trusted users get all counters, cues and intervals.
//! Other members of the group `khor` get less.
//!
//! Frequent samples reveal more than the load of the machine. For example, the context switches of
//! a terminal reveal when its user presses keys. So untrusted members of the group get samples only
//! at multiples of 100 ms. They get no cues for program starts, and no counts of other users'
//! processes.

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
    /// Whether the user is root or is trusted by the administrator.
    pub(crate) trusted: bool,
}

impl Trusted {
    /// Trusts root, the user who started this process, and `users`, which are names or numbers.
    /// Unknown names are logged and ignored. They are not an error, because the service that knows
    /// the users may start later than the collector.
    ///
    /// This function reads the user database, so call it before the system call filter is
    /// installed.
    pub(crate) fn find(users: &[String]) -> Self {
        let mut uids = BTreeSet::from([0, getuid().as_raw()]);
        for user in users.iter().map(|user| user.trim()).filter(|user| !user.is_empty()) {
            let found = || privilege::find_user(user).map(|found| found.uid.as_raw());
            if let Some(uid) = user.parse().ok().or_else(found) {
                uids.insert(uid);
            } else {
                tracing::warn!(
                    "--trust {user:?}: no such user; correct the name in KHOR_TRUST, or use the user's number"
                );
            }
        }
        Self { uids }
    }

    /// Returns user `uid` as a peer, with or without trust.
    pub(crate) fn peer(&self, uid: u32) -> Peer {
        Peer { uid, trusted: self.uids.contains(&uid) }
    }

    /// Trusts nobody, not even root.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self::default()
    }
}

impl Peer {
    /// Intervals of untrusted users are multiples of this value, in milliseconds. The exception is
    /// a scope in which all activity belongs to the user.
    pub(crate) const GRID_MS: u16 = 100;

    /// The interval in milliseconds that the collector grants to this user, who requested
    /// `requested_ms`. `owns_scope` means that all activity in the scope belongs to this user.
    pub(crate) fn interval_ms(self, requested_ms: u16, owns_scope: bool) -> u16 {
        if self.trusted || owns_scope { requested_ms } else { requested_ms.next_multiple_of(Self::GRID_MS) }
    }

    /// Text that describes how the administrator can trust this user. It contains the user's number
    /// and not the name, because looking up the name may need system calls that the filter forbids.
    pub(crate) fn remedy(self) -> String {
        format!("the administrator can trust this user with KHOR_TRUST={} in /etc/default/khor", self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_trusted_by_number_or_name() {
        let named = ["54321", "root", " 54322 ", "", "no-such-user"].map(str::to_owned);
        let trusted = Trusted::find(&named);
        let peers = [0, getuid().as_raw(), 54_321, 54_322].map(|uid| trusted.peer(uid).trusted);
        assert_eq!(peers, [true; 4]);
        assert!(!trusted.peer(54_323).trusted && !Trusted::none().peer(0).trusted);
    }

    #[test]
    fn untrusted_peers_sample_others_every_100_ms() {
        let member = Peer { uid: 1000, trusted: false };
        let granted =
            [5, 20, 100, 101, 250, 5000].map(|requested_ms| member.interval_ms(requested_ms, false));
        assert_eq!(granted, [100, 100, 100, 200, 300, 5000]);
        assert_eq!(member.interval_ms(5, true), 5);
        assert_eq!(Peer { trusted: true, ..member }.interval_ms(5, false), 5);
        assert!(member.remedy().contains("KHOR_TRUST=1000"));
    }
}
