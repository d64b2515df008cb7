//! Tests the server on a real socket, with a fake kernel: what clients may and may not do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::StreamExt;
use khor_e2e::wait_until_async;
use khor_patience::{Lateness, Patience, hang_timeout};
use khor_proto::{
    Availability, ClientMessage, CueKind, Hello, MAGIC, Scope, Selector, Subscribe, Subscribed, Unit,
    client::{Client, ClientError, Update},
    frame::{self, Incoming},
};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
};

use super::*;
use crate::count::{Count, Subject};

/// Time between two checks of a condition.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// A kernel with one counter for the machine and one for each scope. Each counter counts how often
/// it was read.
#[derive(Default)]
pub(super) struct FakeKernel {
    scopes: Mutex<Vec<(Scope, Arc<FakeCount>)>>,
    pub(super) exec_cues: AtomicBool,
    lost: AtomicU64,
}

struct FakeCount {
    subject: Subject,
    /// The user who owns the scope.
    owner: Option<u32>,
    reads: AtomicU64,
    revision: AtomicU64,
}

impl Kernel for FakeKernel {
    fn catalogue(&self) -> Vec<CounterInfo> {
        vec![CounterInfo { name: "reads".into(), unit: Unit::Count, availability: Availability::Available }]
    }

    fn cues(&self) -> Vec<CueInfo> {
        CueKind::ALL.map(|kind| CueInfo { kind, availability: Availability::Available }).into()
    }

    fn count(&self, scope: &Scope, peer: Peer) -> Result<Arc<dyn Count>, String> {
        if *scope == Scope::only(Selector::Process(0)) {
            return Err("there is no process 0".into());
        }
        let mut scopes = self.scopes.lock();
        if !scopes.iter().any(|(known, _)| known == scope) {
            let subject = match scope {
                Scope::Machine => Subject::Machine,
                scope if *scope == others_process() => Subject::Nobody,
                Scope::Selected { .. } => Subject::Scope(scopes.len()),
            };
            let count = FakeCount {
                subject,
                owner: (*scope == own_cgroup()).then_some(peer.uid),
                reads: AtomicU64::new(0),
                revision: AtomicU64::new(0),
            };
            scopes.push((scope.clone(), Arc::new(count)));
        }
        let (_, count) = scopes.iter().find(|(known, _)| known == scope).unwrap();
        Ok(Arc::clone(count) as Arc<dyn Count>)
    }

    fn want_exec_cues(&self, wanted: bool) {
        self.exec_cues.store(wanted, Ordering::Relaxed);
    }

    fn lost(&self, _: CueKind) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Count for FakeCount {
    fn availability(&self) -> Vec<Availability> {
        let reason = self.revision().to_string();
        vec![Availability::Available, Availability::Absent { reason }]
    }

    fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    fn read(&self, counters: &mut Vec<Option<u64>>) {
        counters.clear();
        counters.extend([Some(FIRST_READ + self.reads.fetch_add(1, Ordering::Relaxed)), None]);
    }

    fn subject(&self) -> Subject {
        self.subject
    }

    fn is_own(&self) -> bool {
        self.owner.is_some()
    }
}

/// The value that the fake kernel's counter of a new scope has at its first reading.
pub(super) const FIRST_READ: u64 = 1000;

/// The scope that the fake kernel treats as the client's own.
pub(super) fn own_cgroup() -> Scope {
    Scope::only(Selector::Cgroup("/own".into()))
}

/// A scope that untrusted clients have no permission to read.
pub(super) fn others_process() -> Scope {
    Scope::only(Selector::Process(1))
}

pub(super) struct Running {
    pub(super) dir: TempDir,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
    pub(super) server: Arc<Server>,
    pub(super) kernel: Arc<FakeKernel>,
    _sender_loop: Loop,
}

impl Running {
    fn start() -> Self {
        Self::start_trusting(Trusted::find(&[]))
    }

    pub(super) fn start_trusting(trusted: Trusted) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = bind(&dir.path().join("s"), None, Some(nix::unistd::getegid())).unwrap();
        let kernel = Arc::new(FakeKernel::default());
        let identity = Identity {
            kernel_release: "k".into(),
            boot_id: "b".into(),
            cpus: 2,
            counters: kernel.catalogue(),
            cues: kernel.cues(),
        };
        let server = Arc::new(Server::new(Arc::clone(&kernel) as Arc<dyn Kernel>, identity, trusted));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Arc::clone(&server).run(socket, stopped));
        let sender_loop = server.start_sender().unwrap();
        Self { dir, stop, task, server, kernel, _sender_loop: sender_loop }
    }

    async fn raw(&self) -> UnixStream {
        UnixStream::connect(self.dir.path().join("s")).await.unwrap()
    }

    pub(super) async fn client(&self) -> Client {
        Client::connect(self.dir.path().join("s"), "test").await.unwrap().0
    }

    async fn subscriber(&self, interval_ms: u16) -> Client {
        let mut client = self.client().await;
        client.subscribe(Subscribe { interval_ms, ..Subscribe::default() }).await.unwrap();
        client
    }
}

fn hello() -> ClientMessage {
    let versions = vec![ProtocolVersion::CURRENT];
    ClientMessage::Hello(Hello { magic: MAGIC, versions, client: "test".into() })
}

fn subscribe(interval_ms: u16) -> ClientMessage {
    ClientMessage::Subscribe(Subscribe { interval_ms, ..Subscribe::default() })
}

fn bytes(messages: &[ClientMessage]) -> Vec<u8> {
    messages.iter().flat_map(|message| frame::encode(message).unwrap()).collect()
}

/// Sends `sent`. Returns the number of answers until the server disconnects, and the last answer.
async fn answers(running: &Running, sent: &[u8]) -> (usize, ServerMessage) {
    let mut stream = running.raw().await;
    stream.write_all(sent).await.unwrap();
    let mut incoming = frame::receiver::<_, ServerMessage>(stream);
    let (mut count, mut last) = (0, None);
    while let Ok(Some(Ok(Incoming::Known(message)))) = timeout(hang_timeout(), incoming.next()).await {
        count += 1;
        last = Some(message);
    }
    (count, last.expect("an answer"))
}

fn refused(message: &ServerMessage) -> &str {
    match message {
        ServerMessage::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn bye(message: &ServerMessage) -> &str {
    match message {
        ServerMessage::Bye { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn samples_follow_requested_interval_and_its_changes() {
    let running = Running::start();
    let mut client = running.subscriber(20).await;
    let (mut seq, mut patience) = (0, Patience::default());
    // Samples may be late on a busy machine, so repeat until a series is on time.
    loop {
        let mut times_ns = Vec::new();
        for _ in 0..26 {
            let sample = client.sample().await.unwrap();
            assert_eq!(sample.seq, seq);
            seq += 1;
            times_ns.push(sample.t_ns);
        }
        let took_ms = (times_ns[25] - times_ns[0]) / 1_000_000;
        if (450..550).contains(&took_ms) {
            break;
        }
        assert!(!patience.is_over(), "{took_ms} ms for 25 intervals of 20 ms");
    }
    client.subscribe(Subscribe { interval_ms: 200, ..Subscribe::default() }).await.unwrap();
    let first = client.sample().await.unwrap();
    let second = client.sample().await.unwrap();
    assert_eq!(second.seq, first.seq + 1);
    assert_eq!(running.server.load().borrow().shortest_interval_ms, 200);
}

#[tokio::test]
async fn only_valid_hello_is_accepted() {
    let running = Running::start();
    let stranger = ClientMessage::Hello(Hello { magic: 1, versions: vec![], client: String::new() });
    let future = ClientMessage::Hello(Hello {
        magic: MAGIC,
        versions: vec![ProtocolVersion { major: 9, minor: 0 }],
        client: String::new(),
    });
    let oversized = (frame::MAX_CLIENT_BODY_BYTES as u32 + 1).to_le_bytes();
    let cases: [(Vec<u8>, &str); 6] = [
        (bytes(&[stranger]), "wrong magic number"),
        (bytes(&[future]), "the collector supports 1.0, and the client supports 9.0"),
        (bytes(&[subscribe(20)]), "first message must be Hello"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "malformed"),
        (oversized.to_vec(), "malformed"),
        (vec![3, 0, 0, 0, 9, 9, 9], "kind 9 is unknown"),
    ];
    for (sent, reason) in cases {
        let (count, answer) = answers(&running, &sent).await;
        assert!(count == 1 && refused(&answer).contains(reason), "{answer:?}");
    }
    assert!(refused(&answers(&running, &[]).await.1).contains("within two seconds"));
}

#[tokio::test]
async fn protocol_error_after_welcome_closes_with_reason() {
    let running = Running::start();
    let truncated = [bytes(&[hello()]), vec![2, 0, 0, 0, 1, 20]].concat();
    let nobody = Scope::only(Selector::Process(0));
    let nobody = ClientMessage::Subscribe(Subscribe { scope: nobody, ..Subscribe::default() });
    // The limit is 50 messages a second. Even a busy machine sends these 400 in less than 8 s.
    let flood: Vec<_> = std::iter::once(hello()).chain((0..400).map(|_| subscribe(5000))).collect();
    for (sent, reason) in [
        (bytes(&[hello(), hello()]), "only once"),
        (bytes(&[hello(), subscribe(4)]), "must be 5 to 5000"),
        (bytes(&[hello(), subscribe(5001)]), "must be 5 to 5000"),
        (truncated, "malformed"),
        (bytes(&[hello(), nobody]), "no process 0"),
    ] {
        let (_, answer) = answers(&running, &sent).await;
        assert!(bye(&answer).contains(reason), "{answer:?}");
    }
    // No sample may follow the last message. This once happened in one of a hundred attempts.
    for _ in 0..50 {
        let (_, answer) = answers(&running, &bytes(&flood)).await;
        assert!(bye(&answer).contains("messages in a second"), "{answer:?}");
    }
}

#[tokio::test]
async fn random_bytes_harm_no_other_client() {
    let running = Running::start();
    let mut witness = running.subscriber(5).await;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..50 {
        let mut stream = running.raw().await;
        let junk: Vec<u8> = (0..256)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random as u8
            })
            .collect();
        let _ = stream.write_all(&junk).await;
        witness.sample().await.unwrap();
    }
}

#[tokio::test]
async fn stuck_client_is_dropped_without_delays() {
    let running = Running::start();
    let mut stuck = running.raw().await;
    stuck.write_all(&bytes(&[hello(), subscribe(5)])).await.unwrap();
    let mut witness = running.subscriber(20).await;
    let mut load = running.server.load();
    load.wait_for(|load| load.subscribers == 2).await.unwrap();
    let (lateness, mut patience) = (Lateness::start(), Patience::default());
    let (mut longest, mut last) = (Duration::ZERO, Instant::now());
    // The stuck client's socket is full after 100 kB. The server disconnects the client 2 s later.
    while load.borrow_and_update().subscribers == 2 {
        assert!(!patience.is_over(), "the stuck client is not disconnected");
        witness.sample().await.unwrap();
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    println!("the other client waited {longest:?}; a sleeping thread woke {:?} late", lateness.longest());
    // If the collector waited for the stuck client, the other client would wait two seconds.
    assert!(longest < Duration::from_secs(1) + 2 * lateness.longest(), "the other client waited {longest:?}");
    // The stuck client can read the bytes in its socket's buffer. After them the stream ends.
    let mut held = vec![0; 1 << 20];
    let mut held_bytes = 0;
    while let Ok(received @ 1..) =
        timeout(hang_timeout(), stuck.read(&mut held)).await.expect("the stream ends")
    {
        held_bytes += received;
    }
    assert!((1..1 << 20).contains(&held_bytes), "{held_bytes} bytes were buffered for it");
}

#[tokio::test]
async fn user_gets_64_connections_freed_ones_return() {
    let running = Running::start();
    let mut clients = Vec::new();
    for _ in 0..connection_limit::MAX_CONNECTIONS_PER_TRUSTED {
        clients.push(running.client().await);
    }
    let one_more = Client::connect(running.dir.path().join("s"), "test").await;
    assert!(
        matches!(&one_more, Err(ClientError::Refused { reason }) if reason.contains("64")),
        "{one_more:?}"
    );
    clients.pop();
    let mut patience = Patience::default();
    while let Err(error) = Client::connect(running.dir.path().join("s"), "test").await {
        assert!(!patience.is_over(), "{error}");
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

#[tokio::test]
async fn stop_reaches_all_despite_stuck_client() {
    let running = Running::start();
    let mut subscribed = running.subscriber(1000).await;
    let mut silent = running.client().await;
    let _without_hello = running.raw().await;
    let mut stuck = running.raw().await;
    stuck.write_all(&bytes(&[hello(), subscribe(5)])).await.unwrap();
    subscribed.sample().await.unwrap();
    let begun = Instant::now();
    running.stop.send_replace(true);
    for client in [&mut subscribed, &mut silent] {
        let last_message = client.sample().await;
        assert!(
            matches!(&last_message, Err(ClientError::Bye { reason }) if reason.contains("stops")),
            "{last_message:?}"
        );
    }
    timeout(hang_timeout(), running.task).await.expect("the server stops").unwrap().unwrap();
    println!("stopped after {:?}; the last messages may take {STOP_TIMEOUT:?}", begun.elapsed());
}

pub(super) async fn updates_until_sample(client: &mut Client) -> Vec<Update> {
    let mut updates = Vec::new();
    while !matches!(updates.last(), Some(Update::Sample(_))) {
        updates.push(timeout(hang_timeout(), client.update()).await.unwrap().unwrap());
    }
    updates
}

#[tokio::test]
async fn availability_precedes_samples_and_follows_changes() {
    let running = Running::start();
    let mut client = running.client().await;
    let scope = Scope::only(Selector::Cgroup("/a".into()));
    client.subscribe(Subscribe { scope: scope.clone(), ..Subscribe::default() }).await.unwrap();
    let updates = updates_until_sample(&mut client).await;
    let [Update::Subscribed(Subscribed { interval_ms: 20, availability }), Update::Sample(_)] = &updates[..]
    else {
        panic!("{updates:?}");
    };
    assert_eq!(availability[1], Availability::Absent { reason: "0".into() });
    let count = Arc::clone(&running.kernel.scopes.lock()[0].1);
    count.revision.store(1, Ordering::Relaxed);
    let changed = loop {
        if let Update::Subscribed(changed) = client.update().await.unwrap() {
            break changed;
        }
    };
    assert_eq!(changed.availability[1], Availability::Absent { reason: "1".into() });
}

#[tokio::test]
async fn same_interval_and_scope_share_one_reading() {
    let running = Running::start();
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(running.subscriber(50).await);
    }
    for client in &mut clients {
        client.sample().await.unwrap(); // the first is sent at once, the second at the common instant
        client.sample().await.unwrap();
    }
    let mut samples = Vec::new();
    for client in &mut clients {
        let sample = client.sample().await.unwrap();
        samples.push((sample.t_ns, sample.counters[0]));
    }
    samples.dedup();
    assert_eq!(samples.len(), 1, "{samples:?}");
}

pub(super) fn cue(kind: CueKind) -> Cue {
    Cue { kind, t_ns: 1, pid: Some(2), comm: Some("cat".into()), cgroup_id: None, detail: None }
}

#[tokio::test]
async fn cues_reach_subscribers_of_kind_and_scope() {
    let running = Running::start();
    let request = |scope, cues| Subscribe { interval_ms: 5000, scope, cues };
    let mut machine = running.client().await;
    machine.subscribe(request(Scope::Machine, vec![CueKind::Oom])).await.unwrap();
    updates_until_sample(&mut machine).await;
    let mut scoped = running.client().await;
    let scope = Scope::only(Selector::Cgroup("/a".into()));
    scoped.subscribe(request(scope, vec![CueKind::Oom, CueKind::Exec])).await.unwrap();
    updates_until_sample(&mut scoped).await;
    assert!(running.kernel.exec_cues.load(Ordering::Relaxed));
    running.server.send_cue(&cue(CueKind::Exec), 0); // no client gets it: the machine's subscriber did not request this kind
    running.server.send_cue(&cue(CueKind::Oom), 0);
    running.server.send_cue(&cue(CueKind::Exec), 1 << 1);
    assert_eq!(machine.update().await.unwrap(), Update::Cue(cue(CueKind::Oom)));
    assert_eq!(scoped.update().await.unwrap(), Update::Cue(cue(CueKind::Exec)));
    drop(scoped);
    let wanted = || running.kernel.exec_cues.load(Ordering::Relaxed);
    wait_until_async("exec cues to be switched off", || !wanted()).await;
}

#[tokio::test]
async fn dropped_cues_are_reported_as_lost() {
    let running = Running::start();
    running.kernel.lost.store(100, Ordering::Relaxed); // before the client subscribes
    let mut client = running.client().await;
    let request = Subscribe { interval_ms: 20, scope: Scope::Machine, cues: vec![CueKind::Crash] };
    client.subscribe(request).await.unwrap();
    updates_until_sample(&mut client).await;
    running.kernel.lost.store(107, Ordering::Relaxed);
    loop {
        match client.update().await.unwrap() {
            Update::Sample(_) => {}
            update => break assert_eq!(update, Update::Lost { cues: 7 }),
        }
    }
    // The client does not read yet. So its socket fills, then its queue, and further cues are lost.
    let sent = 20_000;
    for _ in 0..sent {
        running.server.send_cue(&cue(CueKind::Crash), 0);
    }
    let (mut received, mut lost) = (0, 0);
    while received + lost < sent {
        match timeout(hang_timeout(), client.update()).await.expect("more updates").unwrap() {
            Update::Cue(_) => received += 1,
            Update::Lost { cues } => lost += cues,
            _ => {}
        }
    }
    assert!(received + lost == sent && lost > 0, "{received} received, {lost} lost of {sent}");
}

#[tokio::test]
async fn removed_socket_file_is_recreated() {
    let running = Running::start();
    let mut before = running.subscriber(20).await;
    let path = running.dir.path().join("s");
    std::fs::remove_file(&path).unwrap();
    let (begun, mut patience) = (Instant::now(), Patience::default());
    while !path.exists() {
        before.sample().await.unwrap();
        assert!(!patience.is_over(), "no new socket file");
    }
    println!("new socket file after {:?}", begun.elapsed());
    running.subscriber(20).await.sample().await.unwrap();
    before.sample().await.unwrap();
}
