//! Tests the sender with random operations of several clients and a simulated clock. The sender
//! must count each lost cue, and no client may affect another.

use std::{
    io::{ErrorKind, Read},
    os::unix::net::UnixStream,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use futures_util::{FutureExt, StreamExt};
use khor_proto::{
    Availability, CounterInfo, CueInfo,
    frame::{self, Incoming},
};
use nix::sys::socket::{setsockopt, sockopt::SndBuf};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::serve::outbox::MAX_WAITING_BYTES;

/// Number of clients. Client 0 reads after each operation. The others read only in [`Op::Read`] and
/// at the end of the test.
const CLIENTS: usize = 4;
/// Interval of client 0 and smallest step of the clock, in milliseconds.
const TICK_MS: u64 = 20;
/// The kind of cue to which every client subscribes.
const KIND: CueKind = CueKind::Crash;
/// Size of a client's socket buffer that the test requests, in bytes. The kernel raises it to the
/// minimum that it allows.
const SOCKET_BYTES: usize = 1;
/// Length of the process names in cues, in bytes. The names are longer than real ones, so that
/// fewer cues fill a queue.
const COMM_BYTES: usize = 200;
/// The sender may disconnect a client only if the client has read nothing for at least this time.
const PATIENCE: Duration = Duration::from_secs(2);

/// One step of a randomly generated test. A step for a client that is not connected does nothing.
#[derive(Clone, Debug)]
enum Op {
    /// Connects a client if it is not connected.
    Connect(usize),
    /// Subscribes with this interval in milliseconds, or changes the interval.
    Subscribe(usize, u16),
    /// A client reads everything that has arrived.
    Read(usize),
    /// The sender sends a last message to a client, and removes the client.
    Leave(usize),
    /// A client's connection ends.
    Disconnect(usize),
    /// The kernel reports this many cues.
    Cues(u64),
    /// The kernel drops this many cues.
    LostInKernel(u64),
    /// Moves the clock by this many ticks, then runs one round of the loop.
    Wait(u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let client = || 1..CLIENTS;
    let op = prop_oneof![
        1 => client().prop_map(Op::Connect),
        2 => (client(), prop_oneof![Just(20u16), Just(40), Just(200)]).prop_map(|(c, ms)| Op::Subscribe(c, ms)),
        2 => client().prop_map(Op::Read),
        1 => client().prop_map(Op::Leave),
        1 => client().prop_map(Op::Disconnect),
        2 => (1u64..200).prop_map(Op::Cues),
        1 => (1u64..9).prop_map(Op::LostInKernel),
        6 => prop_oneof![4 => 1u64..5, 1 => 50u64..150].prop_map(Op::Wait),
    ];
    vec(op, 1..60)
}

/// A kernel with one counter, which counts how often it is read.
#[derive(Default)]
struct FakeKernel {
    reads: Arc<Reads>,
    lost: AtomicU64,
}

#[derive(Default)]
struct Reads(AtomicU64);

impl Kernel for FakeKernel {
    fn catalogue(&self) -> Vec<CounterInfo> {
        Vec::new()
    }

    fn cues(&self) -> Vec<CueInfo> {
        Vec::new()
    }

    fn count(&self, _: &Scope, _: Peer) -> Result<Arc<dyn Count>, String> {
        Ok(Arc::clone(&self.reads) as Arc<dyn Count>)
    }

    fn want_exec_cues(&self, wanted: bool) {
        assert!(!wanted, "no client of this test requests exec cues");
    }

    fn lost(&self, kind: CueKind) -> u64 {
        if kind == KIND { self.lost.load(Relaxed) } else { 0 }
    }
}

impl Count for Reads {
    fn availability(&self) -> Vec<Availability> {
        vec![Availability::Available]
    }

    fn revision(&self) -> u64 {
        0
    }

    fn read(&self, counters: &mut Vec<Option<u64>>) {
        counters.clear();
        counters.push(Some(self.0.fetch_add(1, Relaxed)));
    }

    fn subject(&self) -> Subject {
        Subject::Machine
    }

    fn is_own(&self) -> bool {
        false
    }
}

/// A client with both ends of its connection, and the number of cues that it must receive.
struct Tested {
    registration: Registration,
    stream: UnixStream,
    received: Vec<u8>,
    /// Time at which the client last read all messages in its socket.
    read_at: Instant,
    is_subscribed: bool,
    /// Number of cues that the kernel reported or dropped since the client subscribed.
    cues: u64,
}

impl Tested {
    fn connect(sender: &Arc<Sender>, socket_bytes: Option<usize>, now: Instant) -> Self {
        let (near, stream) = UnixStream::pair().unwrap();
        for end in [&near, &stream] {
            end.set_nonblocking(true).unwrap();
        }
        if let Some(bytes) = socket_bytes {
            setsockopt(&near, SndBuf, &bytes).unwrap();
        }
        let socket = Socket::new(tokio::net::UnixStream::from_std(near).unwrap()).unwrap();
        let registration = sender.register(socket, Peer { uid: 0, trusted: true });
        Self { registration, stream, received: Vec::new(), read_at: now, is_subscribed: false, cues: 0 }
    }

    fn subscribe(&mut self, interval_ms: u16) {
        let request = Subscribe { interval_ms, cues: vec![KIND], ..Subscribe::default() };
        self.registration.subscribe(&request).unwrap();
        self.is_subscribed = true;
    }

    fn read(&mut self, now: Instant) {
        match self.stream.read_to_end(&mut self.received) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.read_at = now,
            other => panic!("{other:?}"),
        }
    }
}

/// The complete messages in `bytes`.
fn messages(bytes: &[u8]) -> Vec<ServerMessage> {
    let stream = frame::receiver::<_, ServerMessage>(bytes);
    let known = stream.take_while(|message| std::future::ready(message.is_ok()));
    let known = known.map(|message| match message {
        Ok(Incoming::Known(message)) => message,
        other => panic!("{other:?}"),
    });
    known.collect().now_or_never().expect("reading from memory never waits")
}

/// Returns three numbers: the samples in `messages`, the cues in `messages`, and the cues that
/// `messages` report as lost. Checks that the samples have consecutive numbers.
fn counts(messages: &[ServerMessage]) -> [u64; 3] {
    let (mut samples, mut cues, mut lost, mut last) = (0, 0, 0, None);
    for message in messages {
        match message {
            ServerMessage::Sample(sample) => {
                assert_eq!(sample.seq, samples, "samples are numbered");
                assert!(last < sample.counters[0], "the counter grows between two samples");
                (samples, last) = (samples + 1, sample.counters[0]);
            }
            ServerMessage::Cue(_) => cues += 1,
            ServerMessage::Lost { cues } => lost += cues,
            ServerMessage::Subscribed(_) => {}
            other => panic!("{other:?}"),
        }
    }
    [samples, cues, lost]
}

/// The sender, its clients, and the time.
struct Model {
    kernel: Arc<FakeKernel>,
    sender: Arc<Sender>,
    clients: [Option<Tested>; CLIENTS],
    now_ns: u64,
    now: Instant,
    /// Number of rounds that the loop ran.
    rounds: u64,
}

impl Model {
    fn new() -> Self {
        let kernel = Arc::<FakeKernel>::default();
        let sender = Arc::new(Sender::new(Arc::clone(&kernel) as Arc<dyn Kernel>));
        let now = Instant::now();
        let clients = std::array::from_fn(|index| {
            let socket_bytes = (index > 0).then_some(SOCKET_BYTES);
            Some(Tested::connect(&sender, socket_bytes, now))
        });
        let mut model = Self { kernel, sender, clients, now_ns: 0, now, rounds: 0 };
        model.fast().subscribe(TICK_MS as u16);
        model
    }

    /// Client 0, which reads after each operation.
    fn fast(&mut self) -> &mut Tested {
        self.clients[0].as_mut().expect("client 0 stays connected")
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Connect(index) => {
                if self.clients[index].is_none() {
                    let client = Tested::connect(&self.sender, Some(SOCKET_BYTES), self.now);
                    self.clients[index] = Some(client);
                }
            }
            Op::Subscribe(index, interval_ms) => {
                if let Some(client) = &mut self.clients[index] {
                    client.subscribe(interval_ms);
                }
            }
            Op::Read(index) => {
                if let Some(client) = &mut self.clients[index] {
                    client.read(self.now);
                }
            }
            Op::Leave(index) => {
                if let Some(client) = self.clients[index].take() {
                    client.registration.leave(&ServerMessage::Bye { reason: "test".into() });
                }
            }
            Op::Disconnect(index) => self.clients[index] = None,
            Op::Cues(count) => (0..count).for_each(|_| self.cue()),
            Op::LostInKernel(count) => {
                self.kernel.lost.fetch_add(count, Relaxed);
                self.add_cues(count);
            }
            Op::Wait(ticks) => self.wait(ticks),
        }
        let now = self.now;
        self.fast().read(now);
        self.drop_stuck();
    }

    fn cue(&mut self) {
        let comm = Some("c".repeat(COMM_BYTES));
        let cue = Cue { kind: KIND, t_ns: 0, pid: None, comm, cgroup_id: None, detail: None };
        self.sender.send_cue_at(&cue, 0, self.now);
        self.add_cues(1);
    }

    fn add_cues(&mut self, count: u64) {
        let subscribed = self.clients.iter_mut().flatten().filter(|client| client.is_subscribed);
        subscribed.for_each(|client| client.cues += count);
    }

    fn wait(&mut self, ticks: u64) {
        let step = Duration::from_millis(ticks * TICK_MS);
        (self.now, self.now_ns) = (self.now + step, self.now_ns + step.as_nanos() as u64);
        self.sender.deliver(&mut self.sender.clients(), self.now_ns, self.now);
        self.rounds += 1;
        for client in self.sender.clients().by_id.values() {
            check_queue(&client.outbox.waiting());
        }
    }

    /// Removes stuck clients, because this test has no client tasks that would do so. Checks that
    /// none of them has read its messages within [`PATIENCE`].
    fn drop_stuck(&mut self) {
        for client in &mut self.clients {
            if let Some(stuck) = client.as_ref().filter(|client| client.registration.was_stuck()) {
                assert!(self.now - stuck.read_at >= PATIENCE, "disconnected a client that reads");
                *client = None;
            }
        }
    }

    /// Checks that each client has received each cue, or a report that the cue was lost.
    fn finish(mut self) {
        // The sender reports lost cues with the first sample after the queue has become empty.
        let mut idle_rounds = 0;
        while idle_rounds < 3 {
            for client in self.clients.iter_mut().flatten() {
                client.read(self.now);
            }
            self.wait(200 / TICK_MS);
            self.drop_stuck();
            let is_clear = self.sender.clients().by_id.values().all(|client| client.outbox.is_clear());
            idle_rounds = if is_clear { idle_rounds + 1 } else { 0 };
        }
        let rounds = self.rounds;
        for (index, client) in self.clients.iter_mut().enumerate() {
            let Some(client) = client else { continue };
            client.read(self.now);
            let [samples, cues, lost] = counts(&messages(&client.received));
            assert_eq!(cues + lost, client.cues, "client {index}");
            if index == 0 {
                assert_eq!(samples, rounds, "another client delayed client 0");
            }
        }
    }
}

/// Checks that at most one sample is queued, and that the queue does not exceed its limit.
fn check_queue(waiting: &[u8]) {
    let samples = messages(waiting).iter().filter(|it| matches!(it, ServerMessage::Sample(_))).count();
    assert!(samples <= 1, "{samples} samples are queued");
    assert!(waiting.len() < MAX_WAITING_BYTES + 1024, "{} bytes are queued", waiting.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cue_arrives_or_is_counted(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _context = runtime.enter();
        let mut model = Model::new();
        for op in &ops {
            model.apply(op);
        }
        model.finish();
    }
}
