//! Builds the network of the tests: pairs of cards, a bond, containers on a bridge, and a tunnel.
//!
//! `cargo xtask vm` connects the cards in pairs: `eth0` with `eth1` and so on. [`outside`] moves
//! the cards with odd numbers into a network namespace, which represents other machines. Each part
//! is created when a test first needs it, and is never removed.

use std::{
    io::Write,
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::OnceLock,
};

use khor_e2e::{Namespace, load, namespace::run_command, wait_until};

/// The cards of this machine.
pub(crate) const OWN_CARDS: [&str; 3] = ["eth0", "eth2", "eth4"];
/// The cards of the namespace "outside".
pub(crate) const OUTSIDE_CARDS: [&str; 3] = ["eth1", "eth3", "eth5"];

/// One end of a transfer: its namespace and its address.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// The namespace of this end; `None` stands for the machine's own namespace.
    namespace: Option<&'static Namespace>,
    address: Ipv4Addr,
}

impl End {
    fn here(address: [u8; 4]) -> Self {
        Self { namespace: None, address: address.into() }
    }

    fn within(namespace: &'static Namespace, address: [u8; 4]) -> Self {
        Self { namespace: Some(namespace), address: address.into() }
    }

    fn run<R: Send + 'static>(self, job: impl FnOnce() -> R + Send + 'static) -> R {
        match self.namespace {
            Some(namespace) => namespace.run(job),
            None => job(),
        }
    }
}

/// Sends `bytes` by TCP from one end to the other.
pub(crate) fn transfer(from: End, to: End, bytes: u64) {
    let listener = to.run(move || TcpListener::bind((to.address, 0)).expect("binding a TCP port"));
    let address = listener.local_addr().expect("the address of the socket");
    let sender = from.run(move || TcpStream::connect(address).expect("an open connection"));
    load::transfer(sender, &listener, bytes);
}

/// The namespace "outside", which contains one card of each pair. The first call creates it.
pub(crate) fn outside() -> &'static Namespace {
    static OUTSIDE: OnceLock<Namespace> = OnceLock::new();
    OUTSIDE.get_or_init(|| {
        let outside = Namespace::new();
        // Disable IPv6, because the kernel sends IPv6 packets on its own.
        let disable_ipv6 =
            || std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").expect("disabling IPv6");
        disable_ipv6();
        outside.run(disable_ipv6);
        for card in OWN_CARDS.iter().chain(&OUTSIDE_CARDS) {
            // Disable GRO. With GRO the kernel merges packets before the collector counts them.
            run_command(&format!("ethtool --offload {card} gro off"));
        }
        for card in OUTSIDE_CARDS {
            run_command(&format!("ip link set {card} netns {}", outside.id()));
        }
        run_command("ip address add 10.77.0.1/24 dev eth0");
        run_command("ip link set eth0 up");
        outside.command("ip address add 10.77.0.2/24 dev eth1");
        outside.command("ip link set eth1 up");
        outside
    })
}

/// The two ends of the first pair of cards: one on this machine, one in the namespace "outside".
pub(crate) fn plain() -> [End; 2] {
    [End::here([10, 77, 0, 1]), End::within(outside(), [10, 77, 0, 2])]
}

/// Two ends for a transfer within this machine. Both have the loopback address.
pub(crate) fn loopback() -> [End; 2] {
    [End::here([127, 0, 0, 1]), End::here([127, 0, 0, 1])]
}

/// The two ends of a bond over two pairs of cards: one on this machine, one in the namespace
/// "outside".
pub(crate) fn bond() -> [End; 2] {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        make_bond("eth2", "eth4", "10.77.3.1/24");
        outside().run(|| make_bond("eth3", "eth5", "10.77.3.2/24"));
        wait_until_active("eth2");
        outside().run(|| wait_until_active("eth3"));
    });
    [End::here([10, 77, 3, 1]), End::within(outside(), [10, 77, 3, 2])]
}

/// Creates the bond `khor-bond` in the caller's namespace. The name `bond0` may exist already.
fn make_bond(first: &str, second: &str, address: &str) {
    run_command("ip link add khor-bond type bond mode active-backup miimon 100");
    for card in [first, second] {
        run_command(&format!("ip link set {card} master khor-bond"));
    }
    run_command(&format!("ip link set khor-bond type bond primary {first}"));
    run_command(&format!("ip address add {address} dev khor-bond"));
    run_command("ip link set khor-bond up");
}

/// Waits until the bond of the caller's namespace uses `card`. Both ends must use the same pair of
/// cards.
fn wait_until_active(card: &str) {
    let active = format!("Currently Active Slave: {card}\n");
    wait_until("the bond to use its first card", || {
        let bond = std::fs::read_to_string("/proc/thread-self/net/bonding/khor-bond")
            .expect("reading the state of khor-bond");
        bond.contains(&active)
    });
}

/// The ends of a transfer between two containers on a bridge of this machine. The machine routes
/// their packets to the outside.
pub(crate) fn containers() -> [End; 2] {
    static CONTAINERS: OnceLock<[Namespace; 2]> = OnceLock::new();
    let namespaces = CONTAINERS.get_or_init(|| {
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("enabling ip_forward");
        run_command("ip link add khor-bridge type bridge");
        run_command("ip address add 10.77.1.1/24 dev khor-bridge");
        run_command("ip link set khor-bridge up");
        outside().command("ip route add 10.77.1.0/24 via 10.77.0.1");
        [2, 3].map(|number| {
            let (container, port) = (Namespace::new(), format!("port{number}"));
            run_command(&format!("ip link add {port} type veth peer name inner netns {}", container.id()));
            run_command(&format!("ip link set {port} master khor-bridge up"));
            container.command(&format!("ip address add 10.77.1.{number}/24 dev inner"));
            container.command("ip link set inner up");
            container.command("ip route add default via 10.77.1.1");
            container
        })
    });
    [End::within(&namespaces[0], [10, 77, 1, 2]), End::within(&namespaces[1], [10, 77, 1, 3])]
}

/// The two ends of a `WireGuard` tunnel over the first pair of cards: one on this machine, one in
/// the namespace "outside".
pub(crate) fn tunnel() -> [End; 2] {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let [here, there] = [Keys::new(), Keys::new()];
        let peer = there.public.clone();
        here.tunnel("10.77.2.1/24", &peer, "10.77.0.2:51820");
        let peer = here.public;
        outside().run(move || there.tunnel("10.77.2.2/24", &peer, "10.77.0.1:51820"));
    });
    [End::here([10, 77, 2, 1]), End::within(outside(), [10, 77, 2, 2])]
}

/// The keys of one end of a tunnel.
struct Keys {
    private: String,
    public: String,
}

impl Keys {
    fn new() -> Self {
        let private = run_command("wg genkey");
        let public = with_input("wg pubkey", &private).trim().to_owned();
        Self { private, public }
    }

    /// Creates one end of a tunnel in the caller's namespace.
    fn tunnel(&self, address: &str, peer: &str, endpoint: &str) {
        run_command("ip link add khor-wg type wireguard");
        let settings = "private-key /proc/self/fd/0 listen-port 51820";
        let peer = format!("peer {peer} allowed-ips 10.77.2.0/24 endpoint {endpoint}");
        with_input(&format!("wg set khor-wg {settings} {peer}"), &self.private);
        run_command(&format!("ip address add {address} dev khor-wg"));
        run_command("ip link set khor-wg up");
    }
}

/// Runs a command with `input` on its standard input, and returns its output.
fn with_input(line: &str, input: &str) -> String {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a command with a program"));
    let command = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
    child.stdin.take().expect("the program's input").write_all(input.as_bytes()).expect("writing the input");
    let output = child.wait_with_output().expect("reading the program's output");
    assert!(output.status.success(), "the command failed: {line}");
    String::from_utf8(output.stdout).expect("UTF-8 text")
}
