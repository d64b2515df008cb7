//! Many subscribers at once, of several users, and some that make trouble.

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

/// A trusted user may have 64 connections.
const USERS: u32 = 4;
const FIRST_UID: u32 = 54_321;
/// The group that may connect.
pub const GROUP: u32 = 54_321;

/// A collector that admits and trusts the crowd's users.
pub fn collector() -> Collector {
    let users: Vec<String> = (0..USERS).map(|n| (FIRST_UID + n).to_string()).collect();
    let arguments = ["--no-dbus", "--group", &GROUP.to_string(), "--trust", &users.join(",")];
    Collector::start(&program("khor-collector"), &arguments)
}

/// Subscriber `number`, as one of several users; to be called by root.
pub async fn subscriber(socket: &Path, number: usize, interval_ms: u16, scope: Scope) -> Client {
    let connected = connect_as(FIRST_UID + number as u32 % USERS, socket).await;
    let (mut client, _) = connected.expect("a connection");
    client.subscribe(Subscribe { interval_ms, scope, cues: vec![] }).await.expect("samples");
    client
}

/// Connects as a user whose only group is [`GROUP`]; the caller must be root. All threads of the
/// process change to that user and back.
pub async fn connect_as(uid: u32, socket: &Path) -> Result<(Client, Welcome), ClientError> {
    // The kernel records the user at the moment of the connection.
    setegid(Gid::from_raw(GROUP)).expect("the group");
    seteuid(Uid::from_raw(uid)).expect("a user");
    let connected = Client::connect(socket, "crowd").await;
    seteuid(Uid::from_raw(0)).expect("root again");
    setegid(Gid::from_raw(0)).expect("root's group again");
    connected
}

/// Three clients that misbehave until this is dropped: one never reads, one reads rarely, one sends
/// invalid messages.
#[derive(Debug)]
pub struct MisbehavingClients {
    ended: Arc<AtomicBool>,
    makers: Vec<thread::JoinHandle<()>>,
}

impl MisbehavingClients {
    /// Starts them.
    pub fn start(socket: &Path) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let makers = [never_reads, reads_seldom, talks_nonsense].map(|trouble| {
            let (socket, ended) = (socket.to_owned(), Arc::clone(&ended));
            thread::spawn(move || {
                while !ended.load(Relaxed) {
                    trouble(&socket, &ended);
                }
            })
        });
        Self { ended, makers: makers.into() }
    }
}

impl Drop for MisbehavingClients {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        for maker in self.makers.drain(..) {
            let _ = maker.join();
        }
    }
}

fn subscribed(socket: &Path) -> Option<UnixStream> {
    let versions = vec![ProtocolVersion::CURRENT];
    let hello = ClientMessage::Hello(Hello { magic: MAGIC, versions, client: "trouble".into() });
    let request = ClientMessage::Subscribe(Subscribe { ..Subscribe::default() });
    let mut stream = UnixStream::connect(socket).ok()?;
    for message in [hello, request] {
        stream.write_all(&encode(&message).ok()?).ok()?;
    }
    Some(stream)
}

/// Subscribes and never reads. It is given up when its socket is full, and comes again.
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

/// Reads a little, twice a second.
fn reads_seldom(socket: &Path, ended: &AtomicBool) {
    let Some(mut stream) = subscribed(socket) else { return };
    let mut some = [0; 256];
    while !ended.load(Relaxed) && stream.read(&mut some).is_ok_and(|length| length > 0) {
        thread::sleep(Duration::from_millis(500));
    }
}

/// Connects and sends invalid messages, repeatedly.
fn talks_nonsense(socket: &Path, _: &AtomicBool) {
    if let Ok(mut stream) = UnixStream::connect(socket) {
        let _ = stream.write_all(&[0x5a; 4096]);
        let _ = stream.read(&mut [0; 1024]);
    }
    thread::sleep(Duration::from_millis(10));
}
