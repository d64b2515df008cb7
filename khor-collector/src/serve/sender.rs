//! Sends samples, cues and other messages to all clients, from one loop.
//!
//! All clients with the same interval are due at the same times, the multiples of the interval. So
//! the loop wakes up once and reads the counters once for all of them. The loop never waits for a
//! client: if a socket has no room, samples are skipped and other messages are queued. The loop has
//! its own thread, which sleeps until a sample is due or a client changes.
//!
//! Two other designs would need more CPU time. If each client had its own task and timer, each
//! timer would wake the process separately. If the loop were a task of the async runtime, each
//! round of the loop would take 1.5 times as long.

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

/// Time between two attempts to send queued messages, in nanoseconds, if no sample is due earlier.
const RETRY_NS: u64 = 100_000_000;
/// Size of the stack of the loop's thread, in bytes.
const STACK_BYTES: usize = 128 * 1024;

/// The number of subscribers and their shortest interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Number of clients that have a subscription.
    pub(crate) subscribers: u32,
    /// The shortest interval of all subscribers, in milliseconds; 0 if there is no subscriber.
    pub(crate) shortest_interval_ms: u32,
}

/// The state of the loop and its clients.
pub(super) struct Sender {
    kernel: Arc<dyn Kernel>,
    clients: Mutex<Clients>,
    /// Wakes the loop if a sample or message is due earlier than the loop expects, or if the loop
    /// must end.
    changed: Condvar,
    load: watch::Sender<Load>,
}

#[derive(Default)]
struct Clients {
    next_id: u64,
    by_id: BTreeMap<u64, Client>,
    /// The first `taken` elements are the samples of the current round of the loop. The other
    /// elements are only kept so that later rounds can reuse their memory.
    samples: Vec<(Subject, Sample)>,
    taken: usize,
    /// Buffer in which frames are encoded, one at a time.
    frame: Vec<u8>,
    /// Whether the loop must end.
    closed: bool,
}

/// The running loop. It ends when this value is dropped.
pub(crate) struct Loop {
    sender: Arc<Sender>,
    thread: Option<JoinHandle<()>>,
}

/// A client's registration with the [`Sender`]. Dropping this value removes the client.
pub(super) struct Registration {
    sender: Arc<Sender>,
    id: u64,
    peer: Peer,
}

impl Sender {
    pub(super) fn new(kernel: Arc<dyn Kernel>) -> Self {
        Self { kernel, clients: Mutex::default(), changed: Condvar::new(), load: watch::Sender::default() }
    }

    /// Returns a receiver that always has the current load. The receiver is notified of each
    /// change.
    pub(super) fn load(&self) -> watch::Receiver<Load> {
        self.load.subscribe()
    }

    /// Adds a client with the connection `socket`.
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

    /// Starts the loop in a new thread. Returns once this thread is running.
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

    /// Sends the samples that are due, and as many queued messages as possible. `now_ns`
    /// (`CLOCK_MONOTONIC`) and `now` are the same time. Returns the time at which the next call is
    /// necessary.
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
                // If the messages above filled the socket, skip the sample. The sample must not
                // overtake messages that are still queued.
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

    /// Publishes the load. Also switches cues for program starts on if a client subscribes to them,
    /// and otherwise off.
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

    /// Removes the client, and sends a last message to it.
    pub(super) fn leave(self, message: &ServerMessage) {
        let mut clients = self.sender.clients();
        let Clients { by_id, frame, .. } = &mut *clients;
        frame.clear();
        if let (Ok(()), Some(mut client)) = (encode_into(message, frame), by_id.remove(&self.id)) {
            // If the client does not read its messages, its socket may have no room for the last
            // message.
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

    /// Ends the client's subscription if its scope differs from `scope`. The caller can then open
    /// `scope` even if the table of scopes has no room for both.
    fn leave_other_scope(&self, scope: &Scope) {
        let mut clients = self.sender.clients();
        let client = clients.by_id.get_mut(&self.id).filter(|client| !client.counts(scope));
        let former = client.and_then(Client::unsubscribe);
        drop(clients);
        drop(former); // this may end a scope, so it happens without the lock
    }

    /// Whether the client was disconnected because it did not read its messages.
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

/// Sends as many queued messages of a client as possible. Disconnects the client if it does not
/// read them.
fn settle(client: &mut Client, now: Instant) -> Standing {
    let standing = client.outbox.flush(now);
    client.judge(standing);
    standing
}

/// Returns the sample of `count` for the current round of the loop. In each round, the counters of
/// a subject are read once for all its clients.
fn sample_of<'a>(
    count: &dyn Count,
    samples: &'a mut Vec<(Subject, Sample)>,
    taken: &mut usize,
) -> &'a mut Sample {
    let subject = count.subject();
    // Clients without permission (`Nobody`) do not share a sample, because their scopes may differ.
    // One of these clients may also have got permission since `subject` was determined.
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
