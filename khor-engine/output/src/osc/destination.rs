//! An OSC target and its current address. A separate thread looks up the target's name, because a
//! look-up may take many seconds. So messages to other targets are not delayed.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket},
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

use khor_api::{Health, TargetHealth};
use khor_own_traffic::{CountedAt, OwnTraffic};
use parking_lot::{Mutex, MutexGuard};
use tracing::{debug, warn};

use super::OscTarget;

/// Time between look-ups of a name while it does not resolve, or while sending to its address
/// fails.
const LOOKUP_RETRY: Duration = Duration::from_secs(5);
/// Time between look-ups of a name whose address works. khor repeats them, because the host's
/// address may change.
const LOOKUP_INTERVAL: Duration = Duration::from_mins(1);
/// Minimum time between two log records of send errors for one target. A target may alternate
/// between failing and working, and would otherwise flood the log.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// A configured target.
#[derive(Debug)]
pub(super) struct Destination {
    target: OscTarget,
    own: Arc<OwnTraffic>,
    /// The state of the target. The sender, the look-up and the health report lock it only for
    /// microseconds.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    route: Option<Route>,
    /// The error of the last look-up of the target's name. Set only while no address of the target
    /// is known.
    lookup_error: Option<String>,
    /// The error of the last datagram; `None` if the datagram was sent.
    send_error: Option<SendError>,
    /// When a send error was last logged.
    logged_at: Option<Instant>,
}

#[derive(Debug)]
struct Route {
    socket: UdpSocket,
    address: SocketAddr,
    /// Whether khor's own datagrams are counted as edge traffic or as local traffic.
    place: CountedAt,
}

/// Why a datagram was not sent.
#[derive(Debug, thiserror::Error)]
#[error("cannot send to {to}: {cause}")]
struct SendError {
    to: IpAddr,
    cause: io::Error,
}

impl Destination {
    pub(super) fn new(target: OscTarget, own: Arc<OwnTraffic>) -> Self {
        Self { target, own, state: Mutex::default() }
    }

    /// Opens the destination. If the target is an address, datagrams can be sent immediately. If
    /// the target is a name, datagrams can be sent after the first look-up.
    pub(super) fn open(target: OscTarget, own: Arc<OwnTraffic>) -> Arc<Self> {
        let is_address = target.host.parse::<IpAddr>().is_ok();
        let this = Arc::new(Self::new(target, own));
        if is_address {
            this.set_addresses(look_up(&this.target));
        }
        if !(is_address && this.is_open()) {
            this.spawn_lookups(look_up, LOOKUP_RETRY);
        }
        this
    }

    /// Starts a thread that looks up the host's addresses until the destination is dropped. The
    /// first look-up begins immediately. Others follow every minute, or every `retry` while the
    /// target fails.
    pub(super) fn spawn_lookups(
        self: &Arc<Self>,
        look_up: impl Fn(&OscTarget) -> io::Result<Vec<SocketAddr>> + Send + 'static,
        retry: Duration,
    ) {
        let destination_ref = Arc::downgrade(self);
        let thread = thread::Builder::new()
            .name("khor-osc-name".into())
            .spawn(move || look_up_repeatedly(&destination_ref, look_up, retry));
        if let Err(error) = thread {
            self.set_addresses(Err(error));
        }
    }

    pub(super) fn target(&self) -> &OscTarget {
        &self.target
    }

    /// Whether the destination has an address.
    pub(super) fn is_open(&self) -> bool {
        self.state().route.is_some()
    }

    /// The current address. `None` if there is no address, or if the last datagram was not sent.
    pub(super) fn reached(&self) -> Option<SocketAddr> {
        self.state().reached()
    }

    /// Sends a datagram to the target, if it has an address. Never blocks.
    pub(super) fn send(&self, datagram: &[u8]) {
        let mut state = self.state();
        let Some(Route { socket, address, place }) = &state.route else { return };
        let (to, place) = (address.ip(), *place);
        match socket.send_to(datagram, address) {
            Ok(length) => {
                self.own.sent_datagram(place, length, to);
                state.send_error = None;
            }
            // The send buffer is full, or no program receives on that port yet. The address is
            // still correct.
            Err(cause) if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused) => {}
            Err(cause) => self.fail(&mut state, SendError { to, cause }),
        }
    }

    pub(super) fn health(&self) -> TargetHealth {
        let state = self.state();
        let send_error = state.send_error.as_ref().map(ToString::to_string);
        let error = send_error.or_else(|| state.lookup_error.clone());
        TargetHealth { target: self.target.to_string(), ok: state.reached().is_some(), error }
    }

    /// Handles the result of a look-up. Opens another route if the current address has changed, or
    /// if sending to it fails. A send error is reported until a datagram is sent successfully.
    pub(super) fn set_addresses(&self, found: io::Result<Vec<SocketAddr>>) {
        let found = found.and_then(|addresses| self.new_route(&addresses));
        let mut state = self.state();
        match found {
            Ok(route) => {
                state.route = route.or(state.route.take());
                state.lookup_error = None;
            }
            Err(error) if state.route.is_some() => {
                debug!("osc: cannot look up {}: {error}; khor keeps using its last address", self.target);
            }
            Err(error) => {
                let error = error.to_string();
                if state.lookup_error.as_ref() != Some(&error) {
                    warn!("osc: cannot look up {}: {error}; khor tries again", self.target);
                }
                state.lookup_error = Some(error);
            }
        }
    }

    /// Chooses one of these addresses, and opens a route to it. Returns `None` if the current route
    /// already leads to the chosen address.
    fn new_route(&self, addresses: &[SocketAddr]) -> io::Result<Option<Route>> {
        let (current, is_failing) = {
            let state = self.state();
            (state.route.as_ref().map(|route| route.address), state.send_error.is_some())
        };
        let chosen = choose(addresses, current, is_failing);
        let chosen = chosen.ok_or_else(|| io::Error::other("the name has no address"))?;
        if current == Some(chosen) { Ok(None) } else { Route::open(chosen).map(Some) }
    }

    /// Whether to look up the host now. The last look-up was `age` ago.
    fn is_due(&self, age: Option<Duration>) -> bool {
        self.reached().is_none() || age.is_none_or(|age| age >= LOOKUP_INTERVAL)
    }

    fn fail(&self, state: &mut State, error: SendError) {
        let is_new = state.send_error.is_none();
        if is_new && state.logged_at.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            warn!("osc: {}: {error}; khor tries again with the next message", self.target);
            state.logged_at = Some(Instant::now());
        }
        state.send_error = Some(error);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn reached(&self) -> Option<SocketAddr> {
        self.route.as_ref().filter(|_| self.send_error.is_none()).map(|route| route.address)
    }
}

impl Route {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        // Without this option, the kernel does not send to broadcast addresses.
        socket.set_broadcast(true)?;
        Ok(Self { socket, address, place: CountedAt::of_destination(address) })
    }
}

/// The health of the whole output. It names each failing target, even if the others work.
pub(super) fn combined_health(targets: &[TargetHealth]) -> Health {
    let failing: Vec<String> = targets
        .iter()
        .filter_map(|health| health.error.as_ref().map(|error| format!("{}: {error}", health.target)))
        .collect();
    if targets.is_empty() {
        Health::off()
    } else if !failing.is_empty() {
        let fix = "set osc.host and osc.targets to names or addresses that this machine can reach";
        Health::failing(failing.join("; "), fix)
    } else if targets.iter().all(|health| health.ok) {
        Health::working()
    } else {
        Health::starting()
    }
}

fn look_up_repeatedly(
    destination_ref: &Weak<Destination>,
    look_up: impl Fn(&OscTarget) -> io::Result<Vec<SocketAddr>>,
    retry: Duration,
) {
    let mut last_lookup: Option<Instant> = None;
    while let Some(destination) = destination_ref.upgrade() {
        if destination.is_due(last_lookup.map(|at| at.elapsed())) {
            destination.set_addresses(look_up(&destination.target));
            last_lookup = Some(Instant::now());
        }
        drop(destination);
        thread::sleep(retry);
    }
}

/// Looks up the addresses of a target. This may take many seconds.
fn look_up(target: &OscTarget) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<SocketAddr> = (target.host.as_str(), target.port).to_socket_addrs()?.collect();
    addresses.dedup();
    Ok(addresses)
}

/// Chooses an address from the list: the current address, or the one after it if the current one
/// fails. Chooses the first address if the current one is not in the list.
fn choose(addresses: &[SocketAddr], current: Option<SocketAddr>, is_failing: bool) -> Option<SocketAddr> {
    let at = addresses.iter().position(|address| Some(*address) == current);
    let chosen = at.map_or(0, |at| if is_failing { (at + 1) % addresses.len() } else { at });
    addresses.get(chosen).copied()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use khor_e2e::wait_until;

    use super::*;

    /// An address to which sending always fails, because its port is 0.
    const UNREACHABLE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    fn destination(host: &str, port: u16) -> Destination {
        Destination::new(OscTarget { host: host.into(), port }, Arc::default())
    }

    fn receiver() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(khor_patience::hang_timeout())).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    #[test]
    fn a_send_error_lasts_until_a_success() {
        let (socket, address) = receiver();
        let destination = destination("studio.local", 9000);
        destination.set_addresses(Ok(vec![UNREACHABLE]));
        assert!(destination.health().ok, "nothing was sent yet");
        destination.send(b"lost");
        let health = destination.health();
        let error = health.error.clone().unwrap();
        assert!(!health.ok && error.starts_with("cannot send to 127.0.0.1: "), "{error}");
        let combined_health = combined_health(&[health]);
        assert!(
            !combined_health.ok
                && combined_health.error().unwrap().starts_with("studio.local:9000: cannot send to ")
        );
        assert!(combined_health.fix().unwrap().contains("osc.host"));

        destination.set_addresses(Ok(vec![address]));
        assert!(!destination.health().ok, "nothing was sent to the new address yet");
        destination.send(b"hello");
        let health = destination.health();
        assert_eq!((health.ok, health.error), (true, None));
        assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 5);
    }

    #[test]
    fn broadcast_addresses_work_or_report_errors() {
        let all = UdpSocket::bind("0.0.0.0:0").unwrap();
        all.set_read_timeout(Some(khor_patience::hang_timeout())).unwrap();
        let port = all.local_addr().unwrap().port();
        // The broadcast address of the loopback device works without a network.
        let here = Destination::open(OscTarget { host: "127.255.255.255".into(), port }, Arc::default());
        here.send(b"hello");
        assert_eq!(here.health().error, None);
        assert_eq!(all.recv(&mut [0; 8]).unwrap(), 5);
        let everywhere =
            Destination::open(OscTarget { host: "255.255.255.255".into(), port }, Arc::default());
        everywhere.send(b"hello");
        let health = everywhere.health();
        assert_eq!(health.ok, health.error.is_none());
        assert!(!health.error.is_some_and(|error| error.contains("ermission")), "broadcast is permitted");
    }

    #[test]
    fn lookups_repeat_after_errors_and_each_minute() {
        let destination = destination("studio.local", 9000);
        assert!(destination.is_due(None));
        destination.set_addresses(Err(io::Error::other("no such name")));
        assert_eq!(destination.health().error.as_deref(), Some("no such name"));
        assert!(destination.is_due(Some(Duration::ZERO)), "it does not resolve");
        destination.set_addresses(Ok(vec![UNREACHABLE]));
        assert!(!destination.is_due(Some(LOOKUP_INTERVAL / 2)) && destination.is_due(Some(LOOKUP_INTERVAL)));
        destination.send(b"lost");
        assert!(destination.is_due(Some(Duration::ZERO)), "sending fails");

        destination.set_addresses(Err(io::Error::other("no such name")));
        assert!(destination.is_open(), "the last address is kept");
        assert!(destination.health().error.unwrap().starts_with("cannot send to "));
    }

    #[test]
    fn a_working_current_address_is_kept() {
        let [a, b, c] = [1, 2, 3].map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
        assert_eq!(choose(&[a, b], None, false), Some(a));
        assert_eq!(choose(&[b, a], Some(a), false), Some(a), "in any order");
        assert_eq!(choose(&[a, b], Some(a), true), Some(b));
        assert_eq!(choose(&[a, b], Some(b), true), Some(a));
        assert_eq!(choose(&[a, b], Some(c), false), Some(a));
        assert_eq!(choose(&[], Some(c), false), None);
    }

    #[test]
    fn lookups_follow_moves_and_end_with_destination() {
        let (socket, address) = receiver();
        let destination = Arc::new(destination("studio.local", 9000));
        let moved = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&moved);
        let retry = Duration::from_millis(1);
        destination
            .spawn_lookups(move |_| Ok(vec![if known.load(Relaxed) { address } else { UNREACHABLE }]), retry);
        let send = || destination.send(b"hello");
        wait_until("an error", || (send(), destination.health().error.is_some()).1);
        moved.store(true, Relaxed);
        wait_until("a successful send", || (send(), destination.health().ok).1);
        assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 5);
        drop(destination);
        wait_until("its thread to end", || Arc::strong_count(&moved) == 1);
    }
}
