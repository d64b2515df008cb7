//! Counts the network traffic of this khor process, and subtracts it from the machine's counters.
//!
//! Without this crate, khor would play the traffic that its own streams cause. [`OwnTraffic`]
//! counts khor's own traffic. [`Subtraction`] subtracts this traffic from the counters.

mod amounts;
mod counted_at;
mod segments;
mod stream;
mod subtract;
mod tunnel;
mod wire;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    os::fd::{AsRawFd, RawFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};

use self::{amounts::Amounts, tunnel::Client, wire::Flow};
pub use self::{counted_at::CountedAt, stream::CountedStream, subtract::Subtraction};

/// Shortest time between two searches for tunnels. A search reads `/proc/PID/fd` of every process.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);

/// Counts the network traffic of this process.
#[derive(Debug, Default)]
pub struct OwnTraffic(Mutex<Ledger>);

/// All traffic of this process since its start, and the connections that are open now.
#[derive(Debug, Default)]
struct Ledger {
    /// The open connections. The key is a connection's number.
    open: HashMap<u64, Connection>,
    /// The number of the newest connection. Numbers increase by one for each connection.
    newest: u64,
    /// The traffic of all closed connections, all datagrams, and all messages that libraries have
    /// sent.
    ended: Amounts,
    /// When the last search for tunnels began; `None` before the first search.
    searched: Option<Instant>,
    is_searching: bool,
}

/// An open TCP connection.
#[derive(Debug)]
struct Connection {
    /// The file descriptor. It is valid while the connection is in the ledger, because khor removes
    /// the connection from the ledger before it closes the stream.
    fd: RawFd,
    local: SocketAddr,
    remote: SocketAddr,
    /// Number of writes to the connection since it was opened.
    writes: Arc<AtomicU64>,
    /// Whether the network device splits large packets itself.
    splits: bool,
    route: Route,
    /// The connection's traffic from its start to the last reading.
    flow: Flow,
}

/// Where the kernel counts the bytes of a connection.
#[derive(Clone, Copy, Debug)]
enum Route {
    At(CountedAt),
    /// The client is on this machine, and the search for tunnels has not checked the client yet.
    /// The client may be sshd, which forwards the bytes through the machine's edge.
    Unchecked,
    /// The client is sshd. All bytes of the connection count as local. The traffic after the
    /// reading `since` also counts at the edge, because sshd forwards it through an edge device.
    Tunnel {
        since: Flow,
    },
}

/// Keeps a connection in the ledger as long as this value exists. Drop this value before the
/// connection closes.
#[derive(Debug)]
struct Entry {
    own: Arc<OwnTraffic>,
    id: u64,
    writes: Arc<AtomicU64>,
}

impl OwnTraffic {
    /// Starts to count the traffic of a TCP connection, including its handshake. Returns `None` if
    /// the connection is already closed.
    fn open(self: &Arc<Self>, stream: &tokio::net::TcpStream) -> Option<Entry> {
        let (local, remote) = (stream.local_addr().ok()?, stream.peer_addr().ok()?);
        let (route, splits) = if counted_at::is_same_machine(local.ip(), remote.ip()) {
            (Route::Unchecked, true)
        } else {
            let (place, splits) = counted_at::find(local.ip());
            (Route::At(place), splits)
        };
        let writes = Arc::<AtomicU64>::default();
        let (fd, flow) = (stream.as_raw_fd(), Flow::default());
        let mut ledger = self.lock();
        ledger.newest += 1;
        let id = ledger.newest;
        let connection = Connection { fd, local, remote, writes: Arc::clone(&writes), splits, route, flow };
        ledger.open.insert(id, connection);
        drop(ledger);
        Some(Entry { own: Arc::clone(self), id, writes })
    }

    /// Counts a UDP datagram of `payload` bytes that khor has sent.
    pub fn sent_datagram(&self, place: CountedAt, payload: usize, remote: IpAddr) {
        self.add(place, &Flow::datagram(payload, remote, |flow| &mut flow.sent));
    }

    /// Counts a UDP datagram of `payload` bytes that khor has received.
    pub fn received_datagram(&self, place: CountedAt, payload: usize, remote: IpAddr) {
        self.add(place, &Flow::datagram(payload, remote, |flow| &mut flow.received));
    }

    /// Counts a sent message of `payload` bytes, and the acknowledgement that the peer returns. Use
    /// this for a library that opens its own TCP connection, such as the NATS client.
    pub fn sent_message(&self, place: CountedAt, payload: usize, local: Option<IpAddr>) {
        self.add(place, &Flow::message(payload, local));
    }

    fn add(&self, place: CountedAt, flow: &Flow) {
        sum(&mut self.lock().ended, &flow.amounts(place));
    }

    /// Returns khor's own traffic so far. Asks the kernel about each open connection.
    fn amounts(&self) -> Amounts {
        let mut ledger = self.lock();
        let mut total = ledger.ended;
        for connection in ledger.open.values_mut() {
            connection.read();
            sum(&mut total, &connection.amounts());
        }
        total
    }

    /// Whether there are open connections.
    fn is_connected(&self) -> bool {
        !self.lock().open.is_empty()
    }

    /// Starts a thread that searches for ssh tunnels among the connections that are not checked
    /// yet.
    fn search_tunnels(self: &Arc<Self>) {
        let mut ledger = self.lock();
        let is_due = ledger.searched.is_none_or(|at| at.elapsed() >= SEARCH_INTERVAL);
        if ledger.is_searching || !is_due {
            return;
        }
        let unchecked = ledger.open.iter().filter(|(_, it)| matches!(it.route, Route::Unchecked));
        let unchecked: Vec<_> = unchecked.map(|(id, it)| (*id, it.local, it.remote)).collect();
        if unchecked.is_empty() {
            return;
        }
        (ledger.searched, ledger.is_searching) = (Some(Instant::now()), true);
        drop(ledger);
        let own = Arc::clone(self);
        let search = move || own.checked(&tunnel::search(unchecked));
        if thread::Builder::new().name("khor-tunnels".into()).spawn(search).is_err() {
            self.lock().is_searching = false; // a later reading tries again
        }
    }

    /// Stores, for each checked connection, whether the search found sshd as its client.
    fn checked(&self, clients: &[Client]) {
        let mut ledger = self.lock();
        ledger.is_searching = false;
        for client in clients {
            if let Some(connection) = ledger.open.get_mut(&client.id) {
                connection.read();
                connection.route = if client.is_sshd {
                    Route::Tunnel { since: connection.flow }
                } else {
                    Route::At(CountedAt::Local)
                };
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock()
    }
}

impl Connection {
    fn read(&mut self) {
        self.read_flow(false);
    }

    /// Reads the connection's traffic for the last time, just before the connection is closed.
    fn read_last(&mut self) {
        self.read_flow(true);
    }

    fn read_flow(&mut self, is_closing: bool) {
        let writes = self.splits.then(|| self.writes.load(Relaxed));
        if let Some(flow) = wire::read(self.fd, self.local.ip(), writes, is_closing) {
            self.flow = flow;
        }
    }

    fn amounts(&self) -> Amounts {
        match self.route {
            Route::At(place) => self.flow.amounts(place),
            Route::Unchecked => self.flow.amounts(CountedAt::Local),
            Route::Tunnel { since } => {
                let mut amounts = self.flow.amounts(CountedAt::Local);
                sum(&mut amounts, &self.flow.since(&since).through_ssh().amounts(CountedAt::Edge));
                amounts
            }
        }
    }
}

impl Entry {
    fn wrote(&self) {
        self.writes.fetch_add(1, Relaxed);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut ledger = self.own.lock();
        if let Some(mut connection) = ledger.open.remove(&self.id) {
            connection.read_last();
            sum(&mut ledger.ended, &connection.amounts());
        }
    }
}

fn sum(total: &mut Amounts, more: &Amounts) {
    for (total, more) in total.iter_mut().zip(more) {
        *total += more;
    }
}

#[cfg(test)]
mod tests;
