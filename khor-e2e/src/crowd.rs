//! Many subscribers of several users at one collector, and clients that misbehave.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use khor_proto::{
    ClientMessage, Hello, MAGIC, ProtocolVersion, Scope, Subscribe, Welcome,
    client::{Client, ClientError},
    frame::encode,
};
use nix::unistd::{Gid, Uid, setegid, seteuid};

use crate::{Collector, engine::program};

/// Number of users in the crowd. The collector allows each of them 64 connections.
const USERS: u32 = 4;
const FIRST_UID: u32 = 54_321;
/// Group ID of the crowd's users, which may connect.
pub const GROUP: u32 = 54_321;

/// Starts a collector that admits and trusts the crowd's users.
pub fn collector() -> Collector {
    let users: Vec<String> = (0..USERS).map(|n| (FIRST_UID + n).to_string()).collect();
    let arguments = ["--no-dbus", "--group", &GROUP.to_string(), "--trust", &users.join(",")];
    Collector::start(&program("khor-collector"), &arguments)
}

/// Connects subscriber `number` as one of the crowd's users. The caller must be root.
pub async fn subscriber(socket: &Path, number: usize, interval_ms: u16, scope: Scope) -> Client {
    let connected = connect_as(FIRST_UID + number as u32 % USERS, socket).await;
    let (mut client, _) = connected.expect("an open connection");
    client.subscribe(Subscribe { interval_ms, scope, cues: vec![] }).await.expect("an accepted subscription");
    client
}

/// Connects as the user `uid`, with [`GROUP`] as the only group. The caller must be root. All
/// threads of the process change to this user and back.
pub async fn connect_as(uid: u32, socket: &Path) -> Result<(Client, Welcome), ClientError> {
    // The kernel records the user of a connection at the moment when it is opened. So change the
    // user before connecting.
    setegid(Gid::from_raw(GROUP)).expect("changing to the group");
    seteuid(Uid::from_raw(uid)).expect("changing to the user");
    let connected = Client::connect(socket, "crowd").await;
    seteuid(Uid::from_raw(0)).expect("changing back to root");
    setegid(Gid::from_raw(0)).expect("changing back to root's group");
    connected
}

/// Three clients that misbehave until this value is dropped: one never reads, one reads rarely, and
/// one sends invalid messages.
#[derive(Debug)]
pub struct MisbehavingClients {
    ended: Arc<AtomicBool>,
    clients: Vec<thread::JoinHandle<()>>,
}

impl MisbehavingClients {
    /// Starts the three misbehaving clients.
    pub fn start(socket: &Path) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let clients = [never_reads, reads_rarely, sends_invalid_messages].map(|misbehave| {
            let (socket, ended) = (socket.to_owned(), Arc::clone(&ended));
            thread::spawn(move || {
                while !ended.load(Relaxed) {
                    misbehave(&socket, &ended);
                }
            })
        });
        Self { ended, clients: clients.into() }
    }
}

impl Drop for MisbehavingClients {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        for client in self.clients.drain(..) {
            let _ = client.join();
        }
    }
}

fn subscribed(socket: &Path) -> Option<UnixStream> {
    let versions = vec![ProtocolVersion::CURRENT];
    let hello = ClientMessage::Hello(Hello { magic: MAGIC, versions, client: "misbehave".into() });
    let request = ClientMessage::Subscribe(Subscribe { ..Subscribe::default() });
    let mut stream = UnixStream::connect(socket).ok()?;
    for message in [hello, request] {
        stream.write_all(&encode(&message).ok()?).ok()?;
    }
    Some(stream)
}

/// Subscribes and never reads. Returns when the collector closes the connection because its buffer
/// is full. The caller repeats this in a loop.
fn never_reads(socket: &Path, ended: &AtomicBool) {
    let Some(mut stream) = subscribed(socket) else { return };
    // Writing fails once the collector has closed the connection.
    while !ended.load(Relaxed) && stream.write_all(&[]).is_ok() {
        thread::sleep(Duration::from_millis(100));
        if stream.take_error().is_ok_and(|error| error.is_some()) {
            return;
        }
    }
}

/// Subscribes and reads a few bytes twice a second.
fn reads_rarely(socket: &Path, ended: &AtomicBool) {
    let Some(mut stream) = subscribed(socket) else { return };
    let mut some = [0; 256];
    while !ended.load(Relaxed) && stream.read(&mut some).is_ok_and(|length| length > 0) {
        thread::sleep(Duration::from_millis(500));
    }
}

/// Connects and sends an invalid message. The caller repeats this in a loop.
fn sends_invalid_messages(socket: &Path, _: &AtomicBool) {
    if let Ok(mut stream) = UnixStream::connect(socket) {
        let _ = stream.write_all(&[0x5a; 4096]);
        let _ = stream.read(&mut [0; 1024]);
    }
    thread::sleep(Duration::from_millis(10));
}
