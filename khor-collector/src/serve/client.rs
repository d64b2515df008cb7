//! One client of the sender: its subscription, the time of its next sample, and its outbox.

use std::{sync::Arc, time::Instant};

use khor_proto::{CueKind, Sample, Scope, ServerMessage, Subscribe, Subscribed, frame::encode_into};

use super::{
    outbox::{Outbox, Standing},
    wire::Socket,
};
use crate::{
    count::{Count, Subject},
    sampler::Kernel,
    trust::Peer,
};

const NS_PER_MS: u64 = 1_000_000;

/// A connected client, with its subscription and its queue of unsent messages.
pub(super) struct Client {
    pub(super) outbox: Outbox,
    pub(super) peer: Peer,
    /// Whether the client was disconnected because it did not read its messages.
    pub(super) stuck: bool,
    subscription: Option<Subscription>,
    next_seq: u64,
}

struct Subscription {
    /// The interval that the client requested, in milliseconds.
    requested_ms: u16,
    /// The interval that the collector granted, in milliseconds.
    interval_ms: u16,
    scope: Scope,
    cues: CueKinds,
    count: Arc<dyn Count>,
    /// Time of the next sample (`CLOCK_MONOTONIC`), in nanoseconds.
    due_ns: u64,
    /// Revision of the availability in the last `Subscribed`; `None` before the first one.
    sent_revision: Option<u64>,
    /// Number of cues for this client that the collector dropped since its last
    /// [`ServerMessage::Lost`] to this client.
    lost: u64,
    /// Number of cues that the kernel had dropped when the collector last reported lost cues to
    /// this client.
    lost_in_kernel: u64,
    start: Start,
}

/// The zero point of a subscription's counts.
enum Start {
    /// The client gets the counts of the scope unchanged, as all other clients do.
    Shared,
    /// The client's counts start at zero: the scope's counts at the first sample are subtracted
    /// from all samples. Otherwise a client could open and close scopes between two samples, and so
    /// measure periods that are shorter than its interval.
    FirstSample(Vec<Option<u64>>),
}

impl Client {
    pub(super) fn new(socket: Arc<Socket>, peer: Peer) -> Self {
        Self { outbox: Outbox::new(socket), peer, stuck: false, subscription: None, next_seq: 0 }
    }

    /// The interval of the client's subscription, in milliseconds.
    pub(super) fn interval_ms(&self) -> Option<u16> {
        self.subscription.as_ref().map(|subscription| subscription.interval_ms)
    }

    /// Whether the client subscribes to `scope`.
    pub(super) fn counts(&self, scope: &Scope) -> bool {
        self.subscription.as_ref().is_some_and(|subscription| subscription.scope == *scope)
    }

    /// Whether the client subscribes to this kind of cue.
    pub(super) fn wants_kind(&self, kind: CueKind) -> bool {
        self.subscription.as_ref().is_some_and(|subscription| subscription.cues.iter().any(|one| one == kind))
    }

    /// Ends the client's subscription. Returns its counters.
    pub(super) fn unsubscribe(&mut self) -> Option<Arc<dyn Count>> {
        self.subscription.take().map(|former| former.count)
    }

    /// The counters of the client's subscription.
    pub(super) fn count(&self) -> Option<Arc<dyn Count>> {
        self.subscription.as_ref().map(|subscription| Arc::clone(&subscription.count))
    }

    /// Starts a subscription at time `now_ns` (`CLOCK_MONOTONIC`). Returns the counters of the
    /// previous subscription. A client without limits gets its first sample at once. Other clients
    /// get theirs at the next multiple of their interval.
    pub(super) fn subscribe(
        &mut self,
        request: &Subscribe,
        count: Arc<dyn Count>,
        kernel: &dyn Kernel,
        now_ns: u64,
    ) -> Option<Arc<dyn Count>> {
        let cues = CueKinds::of(&request.cues, self.peer);
        let is_limited = !(self.peer.trusted || count.is_own());
        let interval_ms = self.peer.interval_ms(request.interval_ms, !is_limited);
        let interval_ns = u64::from(interval_ms) * NS_PER_MS;
        let starts_at_first_sample = is_limited && request.scope != Scope::Machine;
        let former = self.subscription.replace(Subscription {
            requested_ms: request.interval_ms,
            interval_ms,
            scope: request.scope.clone(),
            cues,
            count,
            due_ns: if is_limited { (now_ns / interval_ns + 1) * interval_ns } else { 0 },
            sent_revision: None,
            lost: 0,
            lost_in_kernel: cues.lost_in_kernel(kernel),
            start: if starts_at_first_sample { Start::FirstSample(Vec::new()) } else { Start::Shared },
        })?;
        let Some(subscription) = &mut self.subscription else { return Some(former.count) };
        if subscription.cues == former.cues {
            // Cues may have been dropped since the last report to the client, so keep their
            // numbers.
            (subscription.lost, subscription.lost_in_kernel) = (former.lost, former.lost_in_kernel);
        }
        if subscription.scope == former.scope {
            // The scope is the same, so keep subtracting the same counts: the client's counts then
            // continue without a jump.
            subscription.start = former.start;
        }
        Some(former.count)
    }

    /// Time of the next sample (`CLOCK_MONOTONIC`), in nanoseconds.
    pub(super) fn due_ns(&self) -> Option<u64> {
        self.subscription.as_ref().map(|subscription| subscription.due_ns)
    }

    /// Whether a sample is due at `now_ns`. If so, sets the time of the next sample: a multiple of
    /// the interval that is at least half an interval after `now_ns`. Without this minimum, the
    /// second sample could follow the first one immediately, because the first sample may be sent
    /// at any time. Counters that the collector reads only every 100 ms would then seem to jump.
    pub(super) fn due(&mut self, now_ns: u64) -> bool {
        let Some(subscription) = &mut self.subscription else { return false };
        let due = subscription.due_ns <= now_ns;
        if due {
            let interval_ns = u64::from(subscription.interval_ms) * NS_PER_MS;
            subscription.due_ns = ((now_ns + interval_ns / 2) / interval_ns + 1) * interval_ns;
        }
        due
    }

    /// Whether the client subscribes to this kind of cue in at least one of `scopes`.
    pub(super) fn wants(&self, kind: CueKind, scopes: u64) -> bool {
        self.subscription.as_ref().is_some_and(|subscription| {
            let within = match subscription.count.subject() {
                Subject::Machine => true,
                Subject::Scope(number) => scopes >> number & 1 == 1,
                Subject::Nobody => false,
            };
            within && self.wants_kind(kind)
        })
    }

    /// Sends the sample, with this client's next sequence number.
    pub(super) fn send_sample(&mut self, sample: &mut Sample, frame: &mut Vec<u8>, now: Instant) {
        sample.seq = self.next_seq;
        self.next_seq += 1;
        let own =
            self.subscription.as_mut().and_then(|subscription| subscription.start.apply(&sample.counters));
        let is_shared = own.is_none();
        let counters = own.unwrap_or_else(|| std::mem::take(&mut sample.counters));
        let message = ServerMessage::Sample(Sample { seq: sample.seq, t_ns: sample.t_ns, counters });
        self.send(&message, frame, now);
        if let ServerMessage::Sample(sent) = message
            && is_shared
        {
            sample.counters = sent.counters; // for the next client; a later sample reuses the memory
        }
    }

    /// Sends an encoded cue. If the queue has no room, counts the cue as lost.
    pub(super) fn send_cue(&mut self, frame: &[u8], now: Instant) {
        if self.outbox.is_clear() || self.outbox.has_room() {
            let standing = self.outbox.send(frame, now);
            self.judge(standing);
        } else if let Some(subscription) = &mut self.subscription {
            subscription.lost += 1;
        }
    }

    /// Sends `Subscribed` if the availability has changed and the queue is empty. Returns whether
    /// the message was sent, because the client's interval may then have changed.
    pub(super) fn send_changes(&mut self, frame: &mut Vec<u8>, now: Instant) -> bool {
        let Some(subscription) = self.subscription.as_mut().filter(|_| self.outbox.is_clear()) else {
            return false;
        };
        let revision = Some(subscription.count.revision());
        if subscription.sent_revision == revision {
            return false;
        }
        subscription.sent_revision = revision;
        let is_own = subscription.count.is_own();
        subscription.interval_ms = self.peer.interval_ms(subscription.requested_ms, is_own);
        let message = ServerMessage::Subscribed(Subscribed {
            interval_ms: subscription.interval_ms,
            availability: subscription.count.availability(),
        });
        self.send(&message, frame, now);
        true
    }

    /// Reports cues that were dropped since the last report, if there are any.
    pub(super) fn send_lost(&mut self, kernel: &dyn Kernel, frame: &mut Vec<u8>, now: Instant) {
        let Some(subscription) = &mut self.subscription else { return };
        let in_kernel = subscription.cues.lost_in_kernel(kernel);
        let cues = subscription.lost + in_kernel.wrapping_sub(subscription.lost_in_kernel);
        (subscription.lost, subscription.lost_in_kernel) = (0, in_kernel);
        if cues > 0 {
            self.send(&ServerMessage::Lost { cues }, frame, now);
        }
    }

    /// Closes the connection if the client does not read or has disconnected.
    pub(super) fn judge(&mut self, standing: Standing) {
        match standing {
            Standing::Clear | Standing::Waiting => {}
            Standing::Stuck => {
                self.stuck = true;
                self.outbox.shut_down();
            }
            Standing::Gone => self.outbox.shut_down(),
        }
    }

    fn send(&mut self, message: &ServerMessage, frame: &mut Vec<u8>, now: Instant) {
        frame.clear();
        if encode_into(message, frame).is_ok() {
            let standing = self.outbox.send(frame, now);
            self.judge(standing);
        }
    }
}

impl Start {
    /// Converts the scope's counts to the counts of this subscription. `None` if the subscription
    /// gets the scope's counts unchanged.
    fn apply(&mut self, counters: &[Option<u64>]) -> Option<Vec<Option<u64>>> {
        let Self::FirstSample(starts) = self else { return None };
        starts.resize(counters.len(), None);
        let since = |(start, count): (&mut Option<u64>, &Option<u64>)| {
            let count = (*count)?;
            // The scope's count decreases if its cgroup is removed and a new one appears at the
            // same path.
            let start = start.get_or_insert(count);
            *start = (*start).min(count);
            Some(count - *start)
        };
        Some(starts.iter_mut().zip(counters).map(since).collect())
    }
}

/// A set of kinds of cues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CueKinds([bool; CueKind::ALL.len()]);

impl CueKinds {
    /// Returns the kinds in `kinds` that `peer` may receive. `kinds` comes from the client, so it
    /// may be long and contain duplicates.
    fn of(kinds: &[CueKind], peer: Peer) -> Self {
        Self(CueKind::ALL.map(|kind| kinds.contains(&kind) && (peer.trusted || kind != CueKind::Exec)))
    }

    fn iter(self) -> impl Iterator<Item = CueKind> {
        CueKind::ALL.into_iter().zip(self.0).filter_map(|(kind, wanted)| wanted.then_some(kind))
    }

    /// Number of cues of these kinds that the kernel has dropped.
    fn lost_in_kernel(self, kernel: &dyn Kernel) -> u64 {
        self.iter().map(|kind| kernel.lost(kind)).sum()
    }
}
