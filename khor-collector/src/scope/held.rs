//! A scope as one client has it: the shared count, as far as the client may have it.

use std::sync::Arc;

use khor_proto::Availability;

use super::count::ScopedCount;
use super::registry::Shared;
use crate::polled;
use crate::sampler::{Count, Subject};
use crate::trust::Peer;

/// One client's share of a scope's count; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    count: Arc<ScopedCount>,
    peer: Peer,
    shared: Arc<Shared>,
}

impl Held {
    /// `peer` must have been noted as a holder of the scope.
    pub(super) fn new(count: Arc<ScopedCount>, peer: Peer, shared: Arc<Shared>) -> Self {
        Self { count, peer, shared }
    }
}

impl Count for Held {
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
        // A process in it may have begun to act for another user.
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
        self.count.is_of(self.peer.uid)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.let_go(self.count.number, self.peer);
    }
}

/// A scope that the client may not have. Nothing is counted for it.
#[derive(Debug)]
pub(super) struct Refused {
    reason: String,
    counters: usize,
}

impl Refused {
    /// `probed` is the number of counters that the kernel's programs feed.
    pub(super) fn new(reason: String, probed: usize) -> Self {
        Self { reason, counters: probed + polled::COUNTERS.len() }
    }
}

impl Count for Refused {
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
