//! The counters of a scope for one client. All clients of a scope share its counts, but a client
//! without permission to read the scope gets no counts.

use std::sync::Arc;

use khor_proto::Availability;

use super::{count::ScopedCount, registry::Shared};
use crate::{
    count::{Count, Subject},
    polled,
    trust::Peer,
};

/// A client's subscription to the shared counters of a scope. It ends when this value is dropped.
#[derive(Debug)]
pub(super) struct ClientCount {
    count: Arc<ScopedCount>,
    peer: Peer,
    shared: Arc<Shared>,
}

impl ClientCount {
    /// Creates the subscription. The caller must have registered `peer` with `Shared::add_holder`.
    pub(super) fn new(count: Arc<ScopedCount>, peer: Peer, shared: Arc<Shared>) -> Self {
        Self { count, peer, shared }
    }
}

impl Count for ClientCount {
    fn availability(&self) -> Vec<Availability> {
        let counted = self.count.availability();
        match self.count.refusal(self.peer) {
            Some(reason) => absent(&reason, counted.len()),
            None => counted,
        }
    }

    fn revision(&self) -> u64 {
        self.count.revision()
    }

    fn read(&self, counters: &mut Vec<Option<u64>>) {
        self.count.read(counters);
        // A process in the scope may have changed its user since the client subscribed.
        if self.count.refusal(self.peer).is_some() {
            counters.fill(None);
        }
    }

    fn subject(&self) -> Subject {
        match self.count.refusal(self.peer) {
            Some(_) => Subject::Nobody,
            None => Subject::Scope(self.count.number),
        }
    }

    fn is_own(&self) -> bool {
        self.count.belongs_to(self.peer.uid)
    }
}

impl Drop for ClientCount {
    fn drop(&mut self) {
        self.shared.remove_holder(self.count.number, self.peer);
    }
}

/// The counters of a scope that the client has no permission to read. All counters are absent, and
/// the kernel counts nothing for this client.
#[derive(Debug)]
pub(super) struct RefusedCount {
    reason: String,
    counters: usize,
}

impl RefusedCount {
    /// Creates counters that are all absent. `reason` states why the client has no permission.
    /// `probed` is the number of counters that the in-kernel programs update.
    pub(super) fn new(reason: String, probed: usize) -> Self {
        Self { reason, counters: probed + polled::COUNTERS.len() }
    }
}

impl Count for RefusedCount {
    fn availability(&self) -> Vec<Availability> {
        absent(&self.reason, self.counters)
    }

    fn revision(&self) -> u64 {
        0
    }

    fn read(&self, counters: &mut Vec<Option<u64>>) {
        counters.clear();
        counters.resize(self.counters, None);
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }

    fn is_own(&self) -> bool {
        false
    }
}

fn absent(reason: &str, counters: usize) -> Vec<Availability> {
    vec![Availability::Absent { reason: reason.to_owned() }; counters]
}
