//! Limits how much of the table of scopes one user can occupy, to leave room for other users.

use std::collections::BTreeSet;

use khor_layout::{MAX_SCOPES, MAX_SELECTORS};
use khor_proto::{Scope, Selector};

use crate::trust::Peer;

/// Maximum number of different scopes that an untrusted user can have at once.
const SCOPES_PER_USER: usize = 8;
/// Maximum number of different cgroups in all scopes of an untrusted user. The same limit applies
/// to different processes.
const SELECTORS_PER_USER: usize = 32;
/// Number of scopes that are reserved for root and trusted users.
const RESERVED_SCOPES: usize = 16;
/// Number of cgroups that are reserved for root and trusted users. The same number of processes is
/// reserved.
const RESERVED_SELECTORS: usize = 32;

/// Fails if `scope` exceeds the limit of `peer` or of all untrusted users. `held` lists the current
/// scopes with their subscribers.
pub(super) fn check(scope: &Scope, peer: Peer, held: &[(Scope, Vec<Peer>)]) -> Result<(), String> {
    if peer.trusted {
        return Ok(());
    }
    let with = |belongs: &dyn Fn(&Peer) -> bool| {
        let held = held.iter().filter(|(_, holders)| holders.iter().any(belongs));
        held.map(|(scope, _)| scope).chain([scope]).collect::<BTreeSet<_>>()
    };
    let own = with(&|holder| holder.uid == peer.uid);
    if own.len() > SCOPES_PER_USER || selector_count(own) > SELECTORS_PER_USER {
        return Err(format!(
            "this user has reached the limit of {SCOPES_PER_USER} scopes with {SELECTORS_PER_USER} cgroups and \
             {SELECTORS_PER_USER} processes: close some scopes, or {}",
            peer.remedy()
        ));
    }
    let untrusted = with(&|holder| !holder.trusted);
    if untrusted.len() > MAX_SCOPES - RESERVED_SCOPES
        || selector_count(untrusted) > MAX_SELECTORS - RESERVED_SELECTORS
    {
        return Err("all users together have reached the limit of scopes: try again later".into());
    }
    Ok(())
}

/// Returns the number of different cgroups or the number of different processes in `scopes`,
/// whichever is higher.
pub(super) fn selector_count<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> usize {
    let named: BTreeSet<&Selector> = scopes.into_iter().flat_map(selectors).collect();
    let cgroups = named.iter().filter(|selector| matches!(selector, Selector::Cgroup(_))).count();
    cgroups.max(named.len() - cgroups)
}

/// All selectors of a scope.
pub(super) fn selectors(scope: &Scope) -> impl Iterator<Item = &Selector> {
    let (include, exclude): (&[Selector], &[Selector]) = match scope {
        Scope::Machine => (&[], &[]),
        Scope::Selected { include, exclude } => (include, exclude),
    };
    include.iter().chain(exclude)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: u32) -> Peer {
        Peer { uid, trusted: uid == 0 }
    }

    fn scope(number: usize, selectors: usize) -> Scope {
        let include = (0..selectors).map(|n| Selector::Cgroup(format!("/{number}/{n}"))).collect();
        Scope::Selected { include, exclude: Vec::new() }
    }

    /// Opens as many scopes for each of `users` as the limits allow, and returns all of them.
    fn taken(users: std::ops::Range<u32>, selectors: usize) -> Vec<(Scope, Vec<Peer>)> {
        let mut held = Vec::new();
        for uid in users {
            for number in 0..2 * MAX_SCOPES {
                let scope = scope(uid as usize * 1000 + number, selectors);
                if check(&scope, peer(uid), &held).is_ok() {
                    held.push((scope, vec![peer(uid)]));
                }
            }
        }
        held
    }

    #[test]
    fn user_gets_8_scopes_others_keep_room() {
        let held = taken(1000..1001, 1);
        assert_eq!(held.len(), 8);
        let reason = check(&scope(0, 1), peer(1000), &held).unwrap_err();
        assert!(reason.contains("8 scopes") && reason.contains("KHOR_TRUST=1000"), "{reason}");
        assert!(check(&held[0].0, peer(1000), &held).is_ok(), "the user has this scope already");
        assert!(
            check(&scope(0, 1), peer(1001), &held).is_ok() && check(&scope(0, 1), peer(0), &held).is_ok()
        );
        assert_eq!(taken(1000..1001, 16).len(), 2, "32 cgroups");
    }

    #[test]
    fn users_leave_16_scopes_to_root() {
        assert_eq!(taken(1000..1020, 1).len(), 48);
        assert_eq!(taken(1000..1020, 16).len(), 6, "96 cgroups");
        let held = taken(1000..1020, 1);
        assert!(check(&scope(0, 1), peer(1020), &held).unwrap_err().contains("all users"));
        assert!(check(&scope(0, 1), peer(0), &held).is_ok());
    }
}
