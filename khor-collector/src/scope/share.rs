//! How much of the kernel's table one user may take, so that the others keep room.

use std::collections::BTreeSet;

use khor_layout::{MAX_SCOPES, MAX_SELECTORS};
use khor_proto::{Scope, Selector};

use super::registry::selectors;
use crate::trust::Peer;

/// Different scopes at once of one user who is not trusted.
const SCOPES_PER_USER: usize = 8;
/// Different cgroups in these, and different processes.
const SELECTORS_PER_USER: usize = 32;
/// Scopes that all such users together leave to root and trusted users, and a share of the
/// selectors likewise.
const SCOPES_KEPT: usize = 16;
const SELECTORS_KEPT: usize = 32;

/// Fails if `peer` may not have `scope` besides what is held already: each scope, and who
/// subscribes to it.
pub(super) fn require(scope: &Scope, peer: Peer, held: &[(Scope, Vec<Peer>)]) -> Result<(), String> {
    if peer.trusted {
        return Ok(());
    }
    let with = |belongs: &dyn Fn(&Peer) -> bool| {
        let held = held.iter().filter(|(_, holders)| holders.iter().any(belongs));
        held.map(|(scope, _)| scope).chain([scope]).collect::<BTreeSet<_>>()
    };
    let own = with(&|holder| holder.uid == peer.uid);
    if own.len() > SCOPES_PER_USER || named(own) > SELECTORS_PER_USER {
        return Err(format!(
            "a user may have {SCOPES_PER_USER} scopes at once that name {SELECTORS_PER_USER} cgroups and \
             {SELECTORS_PER_USER} processes, and this is more: close some, or {}",
            peer.remedy()
        ));
    }
    let untrusted = with(&|holder| !holder.trusted);
    if untrusted.len() > MAX_SCOPES - SCOPES_KEPT || named(untrusted) > MAX_SELECTORS - SELECTORS_KEPT {
        return Err("all users together have as many scopes as they may: try again later".into());
    }
    Ok(())
}

/// How many different cgroups or different processes these name, whichever is more.
pub(super) fn named<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> usize {
    let named: BTreeSet<&Selector> = scopes.into_iter().flat_map(selectors).collect();
    let cgroups = named.iter().filter(|selector| matches!(selector, Selector::Cgroup(_))).count();
    cgroups.max(named.len() - cgroups)
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

    /// What all of `users` hold when each has taken what it gets.
    fn taken(users: std::ops::Range<u32>, selectors: usize) -> Vec<(Scope, Vec<Peer>)> {
        let mut held = Vec::new();
        for uid in users {
            for number in 0..2 * MAX_SCOPES {
                let scope = scope(uid as usize * 1000 + number, selectors);
                if require(&scope, peer(uid), &held).is_ok() {
                    held.push((scope, vec![peer(uid)]));
                }
            }
        }
        held
    }

    #[test]
    fn a_user_takes_8_scopes_and_the_others_keep_room() {
        let held = taken(1000..1001, 1);
        assert_eq!(held.len(), 8);
        let reason = require(&scope(0, 1), peer(1000), &held).unwrap_err();
        assert!(reason.contains("8 scopes") && reason.contains("KHOR_TRUST=1000"), "{reason}");
        assert!(require(&held[0].0, peer(1000), &held).is_ok(), "a scope that it has is no further one");
        assert!(
            require(&scope(0, 1), peer(1001), &held).is_ok() && require(&scope(0, 1), peer(0), &held).is_ok()
        );
        assert_eq!(taken(1000..1001, 16).len(), 2, "32 cgroups");
    }

    #[test]
    fn all_users_together_leave_16_scopes_to_root() {
        assert_eq!(taken(1000..1020, 1).len(), 48);
        assert_eq!(taken(1000..1020, 16).len(), 6, "96 cgroups");
        let held = taken(1000..1020, 1);
        assert!(require(&scope(0, 1), peer(1020), &held).unwrap_err().contains("all users"));
        assert!(require(&scope(0, 1), peer(0), &held).is_ok());
    }
}
