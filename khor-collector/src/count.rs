//! Defines the interface to a client's counters, which count for the whole machine or for a scope.

use khor_proto::Availability;

/// The counters of one client. The kernel counts for the client until this value is dropped.
pub(crate) trait Count: Send + Sync {
    /// The availability of each counter, in catalogue order.
    fn availability(&self) -> Vec<Availability>;
    /// A number that changes whenever [`availability`](Self::availability) or
    /// [`is_own`](Self::is_own) changes.
    fn revision(&self) -> u64;
    /// Replaces the contents of `counters` with the current counts, in catalogue order.
    fn read(&self, counters: &mut Vec<Option<u64>>);
    /// The machine or scope that the counters describe.
    fn subject(&self) -> Subject;
    /// Whether all counted activity belongs to the client's user.
    fn is_own(&self) -> bool;
}

/// The machine or scope whose counters a client gets. Clients with the same subject get the same
/// counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The whole machine.
    Machine,
    /// The scope with this number.
    Scope(usize),
    /// The client gets no counts, because it has no permission to read its scope.
    Nobody,
}
