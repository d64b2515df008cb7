//! Sends samples, cues and other messages to all clients, from one loop.
//!
//! Clients with the same interval are due at the same instants, the multiples of the interval. So
//! one wake-up and one reading of the counters serve all of them. The loop never waits for a
//! client: if a socket has no room, samples are skipped and other messages are queued. The loop has
//! its own thread, which sleeps on the lock of the clients.
//!
//! Two other designs cost more. With a task and a timer for each client, each client wakes the
//! process at each tick. As a task of the runtime, the loop takes one and a half times as long.

#[cfg(test)]
mod operations;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Barrier},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use khor_proto::{Cue, CueKind, Sample, Scope, ServerMessage, Subscribe, frame::encode_into};
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::watch;

use super::{client::Client, outbox::Standing, wire::Socket};
use crate::{
    clock::{boottime_ns, monotonic_ns},
    count::{Count, Subject},
    sampler::Kernel,
    trust::Peer,
};

/// Time until the next attempt to send queued messages of a client without a subscription, ns.
const RETRY_NS: u64 = 100_000_000;
/// Stack of the loop's thread, bytes.
const STACK_BYTES: usize = 128 * 1024;

/// The number of subscribers and their shortest interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Number of clients that subscribe.
    pub(crate) subscribers: u32,
    /// Shortest interval that a subscriber gets, ms; 0 without subscribers.
    pub(crate) shortest_interval_ms: u32,
}

/// The state of the loop and its clients.
pub(super) struct Sender {
    kernel: Arc<dyn Kernel>,
    clients: Mutex<Clients>,
    /// Wakes the loop: a sample may be due earlier than it expects, or it must end.
    changed: Condvar,
    load: watch::Sender<Load>,
}

#[derive(Default)]
struct Clients {
    next_id: u64,
    by_id: BTreeMap<u64, Client>,
    /// Samples of this tick, of which the first `taken` are valid. The others only keep their
    /// memory.
    samples: Vec<(Subject, Sample)>,
    taken: usize,
    /// Buffer for the frame that is being encoded.
    frame: Vec<u8>,
    /// Whether the loop must end.
    closed: bool,
}

/// The running loop. It ends when this value is dropped.
pub(crate) struct Loop {
    sender: Arc<Sender>,
    thread: Option<JoinHandle<()>>,
}

/// A client of the [`Sender`]. The client is removed when this value is dropped.
pub(super) struct Registration {
    sender: Arc<Sender>,
    id: u64,
    peer: Peer,
}

impl Sender {
    pub(super) fn new(kernel: Arc<dyn Kernel>) -> Self {
        Self { kernel, clients: Mutex::default(), changed: Condvar::new(), load: watch::Sender::default() }
    }

    /// The current load, and each change of it.
    pub(super) fn load(&self) -> watch::Receiver<Load> {
        self.load.subscribe()
    }

    /// Adds the client on `socket`.
    pub(super) fn register(self: &Arc<Self>, socket: Arc<Socket>, peer: Peer) -> Registration {
        let mut clients = self.clients();
        clients.next_id += 1;
        let id = clients.next_id;
        clients.by_id.insert(id, Client::new(socket, peer));
        Registration { sender: Arc::clone(self), id, peer }
    }

    /// Waits until the loop has finished its current round.
    pub(super) fn wait(&self) {
        drop(self.clients());
    }

    /// Starts the loop. Returns when its thread runs.
    pub(super) fn start(self: &Arc<Self>) -> io::Result<Loop> {
        let (sender, running) = (Arc::clone(self), Arc::new(Barrier::new(2)));
        let runs = Arc::clone(&running);
        let named = thread::Builder::new().name("khor-sender".into()).stack_size(STACK_BYTES);
        let thread = named.spawn(move || {
            runs.wait();
            sender.run();
        })?;
        running.wait();
        Ok(Loop { sender: Arc::clone(self), thread: Some(thread) })
    }

    /// Runs the loop until `closed`.
    fn run(&self) {
        let mut clients = self.clients();
        while !clients.closed {
            let next_ns = self.deliver(&mut clients, monotonic_ns(), Instant::now());
            match next_ns {
                Some(next_ns) => {
                    let pause = Duration::from_nanos(next_ns.saturating_sub(monotonic_ns()));
                    self.changed.wait_for(&mut clients, pause);
                }
                None => self.changed.wait(&mut clients),
            }
        }
    }

    /// Sends the samples that are due, and all queued messages. `now_ns` (of `CLOCK_MONOTONIC`) and
    /// `now` are the same time. Returns the time of the next call.
    fn deliver(&self, clients: &mut Clients, now_ns: u64, now: Instant) -> Option<u64> {
        let Clients { by_id, samples, taken, frame, .. } = clients;
        *taken = 0;
        let (mut next_ns, mut is_changed) = (None, false);
        for client in by_id.values_mut() {
            let due = client.due(now_ns);
            let clear = client.outbox.is_clear() || settle(client, now) == Standing::Clear;
            if due && clear {
                client.send_lost(&*self.kernel, frame, now);
                is_changed |= client.send_changes(frame, now);
                // These messages may have filled the socket. A sample must not be sent before them.
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

    /// Sends a cue to its subscribers. `scopes` has a bit for each scope that the cue belongs to.
    pub(super) fn send_cue(&self, cue: &Cue, scopes: u64) {
        self.send_cue_at(cue, scopes, Instant::now());
    }

    fn send_cue_at(&self, cue: &Cue, scopes: u64, now: Instant) {
        let mut clients = self.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        let message = ServerMessage::Cue(cue.clone());
        frame.clear();
        if encode_into(&message, frame).is_err() {
            return;
        }
        for client in by_id.values_mut().filter(|client| client.wants(cue.kind, scopes)) {
            client.send_cue(frame, now);
        }
        self.changed.notify_one(); // a message may be queued now
    }

    /// Publishes the load, and whether a client needs cues of program starts.
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
        self.sender.clients().closed = true;
        self.sender.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Registration {
    /// Sends a message that must not be skipped.
    pub(super) fn send(&self, message: &ServerMessage) {
        let mut clients = self.sender.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        frame.clear();
        if let (Ok(()), Some(client)) = (encode_into(message, frame), by_id.get_mut(&self.id)) {
            client.outbox.send(frame, Instant::now());
        }
        self.sender.changed.notify_one();
    }

    /// Removes the client and sends it a last message.
    pub(super) fn leave(self, message: &ServerMessage) {
        let mut clients = self.sender.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        frame.clear();
        if let (Ok(()), Some(mut client)) = (encode_into(message, frame), by_id.remove(&self.id)) {
            // A client that does not read has no room for the message, and does not get it.
            client.outbox.send(frame, Instant::now());
            drop(clients);
            drop(client); // this may end a scope, so it happens without the lock
        }
    }

    /// Starts the requested subscription. Fails with the reason if that is impossible.
    pub(super) fn subscribe(&self, request: &Subscribe) -> Result<(), String> {
        self.leave_other_scope(&request.scope);
        let count = self.sender.kernel.count(&request.scope, self.peer)?;
        let mut clients = self.sender.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        let former = by_id.get_mut(&self.id).and_then(|client| {
            let former = client.subscribe(request, count, &*self.sender.kernel, monotonic_ns());
            client.send_changes(frame, Instant::now());
            former
        });
        self.sender.publish_load(&clients);
        drop(clients);
        drop(former); // this may end a scope, so it happens without the lock
        self.sender.changed.notify_one();
        Ok(())
    }

    /// Releases the client's scope unless it equals `scope`, because there may be no room for both.
    fn leave_other_scope(&self, scope: &Scope) {
        let mut clients = self.sender.clients();
        let client = clients.by_id.get_mut(&self.id).filter(|client| !client.counts(scope));
        let former = client.and_then(Client::unsubscribe);
        drop(clients);
        drop(former); // this may end a scope, so it happens without the lock
    }

    /// Whether the client was disconnected because it does not read.
    pub(super) fn was_stuck(&self) -> bool {
        self.sender.clients().by_id.get(&self.id).is_some_and(|client| client.stuck)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut clients = self.sender.clients();
        let gone = clients.by_id.remove(&self.id);
        self.sender.publish_load(&clients);
        drop(clients);
        drop(gone);
    }
}

/// Sends the queued messages of a client. Disconnects the client if it does not read.
fn settle(client: &mut Client, now: Instant) -> Standing {
    let standing = client.outbox.flush(now);
    client.judge(standing);
    standing
}

/// The sample of `count` at this tick, read once for all clients.
fn sample_of<'a>(
    count: &dyn Count,
    samples: &'a mut Vec<(Subject, Sample)>,
    taken: &mut usize,
) -> &'a mut Sample {
    let subject = count.subject();
    // Clients without access to their scope share no sample, because one of them may have access by
    // now.
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
