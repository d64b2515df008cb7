//! Everybody who is being served, and the one loop that serves them.
//!
//! All clients of an interval are due at the same instants, multiples of it, so that one awakening serves them all
//! from one reading of the counters. Writing never waits: what a socket has no room for is skipped (samples) or stands
//! in line (the rest), so that nobody can delay anybody. The loop has a thread of its own, which sleeps on the very
//! lock that guards the clients. Rejected: a task and a timer for each client, which woke the process once for each
//! of them at each tick; and the loop as a task of the runtime, whose machinery took half as long again as the rest.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use khor_proto::frame::encode_into;
use khor_proto::{Cue, CueKind, Sample, Scope, ServerMessage, Subscribe};
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::watch;

use super::client::Client;
use super::outbox::Standing;
use super::wire::Socket;
use crate::clock::{boottime_ns, monotonic_ns};
use crate::sampler::{Count, Kernel, Subject};
use crate::trust::Peer;

/// How soon to try again for those who do not subscribe but have something waiting.
const RETRY_NS: u64 = 100_000_000;
/// Ample for the loop.
const STACK_BYTES: usize = 128 * 1024;

/// How much is asked of the collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Clients that subscribe.
    pub(crate) subscribers: u32,
    /// Shortest interval that a subscriber gets, ms; 0 without subscribers.
    pub(crate) shortest_interval_ms: u32,
}

/// The clients.
pub(super) struct Desk {
    kernel: Arc<dyn Kernel>,
    clients: Mutex<Clients>,
    /// Somebody's next sample may be due sooner than was thought, or the loop is to end.
    changed: Condvar,
    load: watch::Sender<Load>,
}

#[derive(Default)]
struct Clients {
    next_id: u64,
    by_id: BTreeMap<u64, Client>,
    /// Samples taken at this tick, the first `taken` of them, kept for their memory.
    samples: Vec<(Subject, Sample)>,
    taken: usize,
    /// A frame being made, kept for its memory.
    frame: Vec<u8>,
    /// The loop is to end.
    closed: bool,
}

/// The loop that serves the clients; ends when this is dropped.
pub(crate) struct Loop {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// A client's place at the desk; it leaves when this is dropped.
pub(super) struct Place {
    desk: Arc<Desk>,
    id: u64,
    peer: Peer,
}

impl Desk {
    pub(super) fn new(kernel: Arc<dyn Kernel>) -> Self {
        Self { kernel, clients: Mutex::default(), changed: Condvar::new(), load: watch::Sender::default() }
    }

    /// The present load and its changes.
    pub(super) fn load(&self) -> watch::Receiver<Load> {
        self.load.subscribe()
    }

    /// Takes in the client on `socket`.
    pub(super) fn enter(self: &Arc<Self>, socket: Arc<Socket>, peer: Peer) -> Place {
        let mut clients = self.clients();
        clients.next_id += 1;
        let id = clients.next_id;
        clients.by_id.insert(id, Client::new(socket, peer));
        Place { desk: Arc::clone(self), id, peer }
    }

    /// Returns when the loop is between two rounds.
    pub(super) fn wait(&self) {
        drop(self.clients());
    }

    /// Starts the loop; returns when it runs, so that what a thread does at its start is done.
    pub(super) fn serve(self: &Arc<Self>) -> io::Result<Loop> {
        let (desk, running) = (Arc::clone(self), Arc::new(Barrier::new(2)));
        let runs = Arc::clone(&running);
        let named = thread::Builder::new().name("khor-desk".into()).stack_size(STACK_BYTES);
        let thread = named.spawn(move || {
            runs.wait();
            desk.run();
        })?;
        running.wait();
        Ok(Loop { desk: Arc::clone(self), thread: Some(thread) })
    }

    /// The loop.
    fn run(&self) {
        let mut clients = self.clients();
        while !clients.closed {
            let next_ns = self.deliver(&mut clients, monotonic_ns());
            match next_ns {
                Some(next_ns) => {
                    let pause = Duration::from_nanos(next_ns.saturating_sub(monotonic_ns()));
                    self.changed.wait_for(&mut clients, pause);
                }
                None => self.changed.wait(&mut clients),
            }
        }
    }

    /// Sends samples to those who are due at `now_ns` of `CLOCK_MONOTONIC`, and what waits to everybody; returns when
    /// to be called next.
    fn deliver(&self, clients: &mut Clients, now_ns: u64) -> Option<u64> {
        let now = Instant::now();
        let Clients { by_id, samples, taken, frame, .. } = clients;
        *taken = 0;
        let (mut next_ns, mut is_changed) = (None, false);
        for client in by_id.values_mut() {
            let due = client.due(now_ns);
            let clear = client.outbox.is_clear() || settle(client, now) == Standing::Clear;
            if due && clear {
                client.tell_lost(&*self.kernel, frame, now);
                is_changed |= client.tell_changes(frame, now);
                // What was just said may have filled the socket, and a sample must not overtake it.
                if let Some(count) = client.count().filter(|_| client.outbox.is_clear()) {
                    let sample = sample_of(&*count, samples, taken);
                    client.send_sample(sample, frame, now);
                }
            }
            let retry_ns = (!client.outbox.is_clear()).then_some(now_ns + RETRY_NS);
            next_ns = [next_ns, client.due_ns(), retry_ns].into_iter().flatten().min();
        }
        if is_changed {
            self.publish_load(clients);
        }
        next_ns
    }

    /// Tells those who want to hear of it. `scopes` has a bit for each scope the cue belongs to.
    pub(super) fn tell(&self, cue: &Cue, scopes: u64) {
        let (mut clients, now) = (self.clients(), Instant::now());
        let Clients { by_id, frame, .. } = &mut *clients;
        let message = ServerMessage::Cue(cue.clone());
        frame.clear();
        if encode_into(&message, frame).is_err() {
            return;
        }
        for client in by_id.values_mut().filter(|client| client.wants(cue.kind, scopes)) {
            client.send_cue(frame, now);
        }
        self.changed.notify_one(); // something may wait now
    }

    /// Publishes what changes with every subscription.
    fn publish_load(&self, clients: &Clients) {
        let intervals_ms = || clients.by_id.values().filter_map(Client::interval_ms);
        let load = Load {
            subscribers: intervals_ms().count() as u32,
            shortest_interval_ms: intervals_ms().min().map_or(0, u32::from),
        };
        self.kernel.want_exec_cues(clients.by_id.values().any(|client| client.wants_kind(CueKind::Exec)));
        self.load.send_if_modified(|published| std::mem::replace(published, load) != load);
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock()
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.desk.clients().closed = true;
        self.desk.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Place {
    /// Sends a message that must not be skipped.
    pub(super) fn say(&self, message: &ServerMessage) {
        let mut clients = self.desk.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        frame.clear();
        if let (Ok(()), Some(client)) = (encode_into(message, frame), by_id.get_mut(&self.id)) {
            client.outbox.send(frame, Instant::now());
        }
        self.desk.changed.notify_one();
    }

    /// Leaves with a last word: nothing comes after it.
    pub(super) fn leave(self, message: &ServerMessage) {
        let mut clients = self.desk.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        frame.clear();
        if let (Ok(()), Some(mut client)) = (encode_into(message, frame), by_id.remove(&self.id)) {
            // A courtesy to those who read; the others have no room for it.
            client.outbox.send(frame, Instant::now());
            drop(clients);
            drop(client); // ends a scope, which takes its time
        }
    }

    /// Begins what the client wishes, or says why that cannot be.
    pub(super) fn subscribe(&self, wish: &Subscribe) -> Result<(), String> {
        self.leave_other_scope(&wish.scope);
        let count = self.desk.kernel.count(&wish.scope, self.peer)?;
        let mut clients = self.desk.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        let former = by_id.get_mut(&self.id).and_then(|client| {
            let former = client.subscribe(wish, count, &*self.desk.kernel, monotonic_ns());
            client.tell_changes(frame, Instant::now());
            former
        });
        self.desk.publish_load(&clients);
        drop(clients);
        drop(former); // ends a scope, which takes its time
        self.desk.changed.notify_one();
        Ok(())
    }

    /// Gives up the scope that is counted for the client, unless it is this one: there may be no room for two.
    fn leave_other_scope(&self, scope: &Scope) {
        let mut clients = self.desk.clients();
        let client = clients.by_id.get_mut(&self.id).filter(|client| !client.counts(scope));
        let former = client.and_then(Client::unsubscribe);
        drop(clients);
        drop(former); // ends a scope, which takes its time
    }

    /// Whether the client was given up because it does not read.
    pub(super) fn was_stuck(&self) -> bool {
        self.desk.clients().by_id.get(&self.id).is_some_and(|client| client.stuck)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut clients = self.desk.clients();
        let gone = clients.by_id.remove(&self.id);
        self.desk.publish_load(&clients);
        drop(clients);
        drop(gone);
    }
}

/// Sends what waits, and gives up who does not take it.
fn settle(client: &mut Client, now: Instant) -> Standing {
    let standing = client.outbox.flush(now);
    client.judge(standing);
    standing
}

/// The sample of `count` at this tick, taken once for everybody.
fn sample_of<'a>(
    count: &dyn Count,
    samples: &'a mut Vec<(Subject, Sample)>,
    taken: &mut usize,
) -> &'a mut Sample {
    let subject = count.subject();
    // Refused clients do not share a sample: the refusal of one of them may have ended by now.
    let is_same = |(taken, _): &(Subject, Sample)| *taken == subject && subject != Subject::Nobody;
    let index = samples[..*taken].iter().position(is_same).unwrap_or_else(|| {
        if *taken == samples.len() {
            samples.push((subject, Sample { seq: 0, t_ns: 0, counters: Vec::new() }));
        }
        let (sampled, sample) = &mut samples[*taken];
        *sampled = subject;
        count.read(&mut sample.counters);
        sample.t_ns = boottime_ns();
        *taken += 1;
        *taken - 1
    });
    &mut samples[index].1
}
