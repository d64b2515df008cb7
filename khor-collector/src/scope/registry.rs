//! The registry of scopes with subscribers. Each scope has a number, and all its clients share it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use khor_layout::{MAX_SCOPES, MAX_SELECTORS};
use khor_proto::Scope;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    client_count::{ClientCount, RefusedCount},
    count::ScopedCount,
    hierarchy::Hierarchy,
    process, quota,
    tags::SocketTags,
    targets::Targets,
};
use crate::{
    count::Count,
    probes::{Chosen, Probes, TableFull},
    trust::Peer,
};

/// The registry of scopes.
#[derive(Debug)]
pub(crate) struct Scopes {
    hierarchy: Hierarchy,
    shared: Arc<Shared>,
}

/// The state that the registry and all scopes share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) probes: Arc<Probes>,
    pub(super) socket_tags: SocketTags,
    active: Mutex<BTreeMap<usize, Active>>,
    opened: Notify,
}

#[derive(Debug)]
struct Active {
    scope: Scope,
    count: Weak<ScopedCount>,
    /// The subscribers, each with its number of subscriptions to this scope.
    holders: BTreeMap<Peer, usize>,
}

impl Scopes {
    /// An empty registry.
    pub(crate) fn new(probes: Arc<Probes>) -> Self {
        let socket_tags = SocketTags::default();
        let shared = Shared { probes, socket_tags, active: Mutex::default(), opened: Notify::new() };
        Self { hierarchy: Hierarchy::find(), shared: Arc::new(shared) }
    }

    /// Starts to count for `scope` on behalf of `peer`. Fails with the reason if that is
    /// impossible. Counting ends when the last subscriber of the scope drops its count. If `peer`
    /// has no permission to read the scope, all its counters are absent.
    pub(crate) fn open(&self, scope: &Scope, peer: Peer) -> Result<Arc<dyn Count>, String> {
        let Scope::Selected { include, exclude } = scope else {
            return Err("the whole machine is not a scope".into());
        };
        // The owners of the targets may have changed, so find the targets again even if the scope
        // is already counted.
        let targets = Targets::find(include, exclude, &self.hierarchy)?;
        if let Some(reason) = targets.refusal(peer) {
            return Ok(Arc::new(RefusedCount::new(reason, self.shared.probes.counter_states().len())));
        }
        let holders = self.shared.scopes_by_holder();
        quota::check(scope, peer, &holders)?;
        let count = self.shared.find(scope).map_or_else(|| self.begin(scope, targets), Ok)?;
        self.shared.add_holder(count.number, peer);
        Ok(Arc::new(ClientCount::new(count, peer, Arc::clone(&self.shared))))
    }

    fn begin(&self, scope: &Scope, targets: Targets) -> Result<Arc<ScopedCount>, String> {
        self.shared.refresh_socket_tags();
        self.shared.require_room(scope)?;
        let number = self
            .shared
            .free_number()
            .ok_or("the collector has reached its limit of 64 scopes: try again later")?;
        let count = Arc::new(ScopedCount::new(number, targets, Arc::clone(&self.shared)));
        let (scope, shared_count) = (scope.clone(), Arc::downgrade(&count));
        self.shared.insert(number, Active { scope, count: shared_count, holders: BTreeMap::new() });
        self.shared.publish().map_err(|error| error.to_string())?; // after an error, dropping `count` removes the scope
        self.shared.opened.notify_one();
        Ok(count)
    }

    /// The scopes that process `pid` belongs to now, one bit each. Use this only if the kernel
    /// reports nothing but the process number of an event.
    pub(crate) fn of_process(&self, pid: u32) -> u64 {
        let Some(path) = process::cgroup_of(pid) else { return 0 };
        let counts = self.shared.counts();
        counts.iter().filter(|count| count.covers(&path, pid)).map(|count| 1 << count.number).sum()
    }

    /// Waits until a client opens a new scope. The caller must then call
    /// [`refresh`](Self::refresh).
    pub(crate) async fn opened(&self) {
        self.shared.opened.notified().await;
    }

    /// Looks up the cgroups and processes of all scopes again. Returns whether there are any
    /// scopes.
    pub(crate) fn refresh(&self) -> bool {
        let counts = self.shared.counts();
        self.shared.refresh_socket_tags();
        let changed = counts.iter().fold(false, |changed, count| count.refresh() | changed);
        if changed && let Err(error) = self.shared.publish() {
            // The table cannot be full: `require_room` has reserved a place for each selector, even
            // if the selector's target does not exist.
            tracing::error!("{error}");
        }
        !counts.is_empty()
    }
}

impl Shared {
    /// The scopes with subscribers. The caller must drop the returned references after it has
    /// released the lock, because dropping the last reference to a scope takes the lock.
    fn counts(&self) -> Vec<Arc<ScopedCount>> {
        let active = self.active.lock();
        active.values().filter_map(|active| active.count.upgrade()).collect()
    }

    /// Finds the current counters of `scope`. `None` if nobody subscribes to the scope, or if one
    /// of its processes has ended: another process may have the same number by now.
    fn find(&self, scope: &Scope) -> Option<Arc<ScopedCount>> {
        let active = self.active.lock();
        let same = active.values().filter(|active| active.scope == *scope);
        let same: Vec<_> = same.filter_map(|active| active.count.upgrade()).collect();
        drop(active); // dropping the last reference to a scope takes the lock
        same.into_iter().find(|count| !count.has_dead_process())
    }

    /// Fails if the table has no room for the selectors of all current scopes and of `scope`. A
    /// selector needs room even if its target does not exist.
    fn require_room(&self, scope: &Scope) -> Result<(), String> {
        let active = self.active.lock();
        let scopes = active.values().map(|active| &active.scope).chain([scope]);
        if quota::selector_count(scopes) > MAX_SELECTORS {
            return Err(TableFull.to_string());
        }
        Ok(())
    }

    /// Returns each current scope with the users who subscribe to it.
    fn scopes_by_holder(&self) -> Vec<(Scope, Vec<Peer>)> {
        let active = self.active.lock();
        active.values().map(|one| (one.scope.clone(), one.holders.keys().copied().collect())).collect()
    }

    /// Adds a subscription of `peer` to scope `number`.
    fn add_holder(&self, number: usize, peer: Peer) {
        let mut active = self.active.lock();
        if let Some(one) = active.get_mut(&number) {
            *one.holders.entry(peer).or_default() += 1;
        }
    }

    /// Removes a subscription of `peer` to scope `number`.
    pub(super) fn remove_holder(&self, number: usize, peer: Peer) {
        let mut active = self.active.lock();
        let Some(one) = active.get_mut(&number) else { return };
        match one.holders.get_mut(&peer) {
            Some(times @ 2..) => *times -= 1,
            _ => _ = one.holders.remove(&peer),
        }
    }

    fn free_number(&self) -> Option<usize> {
        let active = self.active.lock();
        (0..MAX_SCOPES).find(|number| !active.contains_key(number))
    }

    fn insert(&self, number: usize, scope: Active) {
        self.active.lock().insert(number, scope);
    }

    /// Checks again whether sockets have tags.
    fn refresh_socket_tags(&self) {
        if let Some(tagged_sockets) = self.probes.tagged_sockets() {
            self.socket_tags.refresh(tagged_sockets);
        }
    }

    /// Makes the in-kernel programs count for the current scopes.
    fn publish(&self) -> Result<(), TableFull> {
        let chosen: Vec<Chosen> = self.counts().iter().map(|count| count.chosen()).collect();
        self.probes.count_for(&chosen)
    }

    /// Ends the counting for scope `number`. Another scope may then get this number.
    pub(super) fn release(&self, number: usize) {
        self.active.lock().remove(&number);
        if let Err(error) = self.publish() {
            tracing::error!("{error}"); // cannot happen: fewer scopes need fewer places
        }
    }
}
