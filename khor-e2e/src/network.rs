//! Network namespaces for tests, with interfaces between them and a sysfs that shows them.

use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::wait_until;

/// Runs `inside` in a new network namespace whose loopback is up. The argument of `inside` is the
/// folder with the namespace's sysfs. `/proc/thread-self/net` shows the namespace; `/proc/net`
/// shows the main thread's.
pub fn in_network<R: Send>(inside: impl FnOnce(&Path) -> R + Send) -> R {
    thread::scope(|scope| {
        let namespaced = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("namespaces");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("private mounts");
            let sys = tempfile::tempdir().expect("a folder");
            mount(Some("sysfs"), sys.path(), Some("sysfs"), MsFlags::MS_RDONLY, None::<&str>).expect("sysfs");
            ip("link set lo up");
            disable_ipv6();
            let result = inside(sys.path());
            nix::mount::umount(sys.path()).expect("unmounting sysfs");
            result
        });
        namespaced.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Disables IPv6, because the kernel sends IPv6 packets that no program asked for.
fn disable_ipv6() {
    let file = "/proc/thread-self/net/if_inet6";
    if Path::new(file).exists() {
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").expect("no IPv6");
    }
}

/// Runs `ip` in this thread's namespace.
pub fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split_whitespace()).status().expect("ip");
    assert!(status.success(), "ip {arguments}");
}

/// Another network namespace, which a process keeps alive. It ends when this is dropped.
#[derive(Debug)]
pub struct Namespace {
    keeper: Child,
}

impl Namespace {
    /// Creates a namespace whose loopback is up.
    pub fn new() -> Self {
        let keeper = Command::new("unshare").args(["--net", "sleep", "infinity"]).spawn().expect("unshare");
        let namespace = Self { keeper };
        let own = std::fs::read_link("/proc/thread-self/ns/net").expect("this namespace");
        let path = format!("/proc/{}/ns/net", namespace.pid());
        wait_until("another namespace", || std::fs::read_link(&path).is_ok_and(|other| other != own));
        namespace.run(|| {
            ip("link set lo up");
            disable_ipv6();
        });
        namespace
    }

    /// The process that keeps it alive.
    pub fn pid(&self) -> u32 {
        self.keeper.id()
    }

    /// Runs `inside` on a new thread in this namespace.
    pub fn run<R: Send>(&self, inside: impl FnOnce() -> R + Send) -> R {
        let file = File::open(format!("/proc/{}/ns/net", self.pid())).expect("the namespace");
        thread::scope(|scope| {
            let entered = scope.spawn(|| {
                setns(file, CloneFlags::CLONE_NEWNET).expect("entering the namespace");
                inside()
            });
            entered.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves an interface from this thread's namespace into this one, and configures it.
    pub fn adopt(&self, interface: &str, address: &str) {
        ip(&format!("link set {interface} netns {}", self.pid()));
        self.run(|| {
            ip(&format!("addr add {address} dev {interface}"));
            ip(&format!("link set {interface} up"));
        });
    }

    /// The kernel's counts of one of its interfaces.
    pub fn traffic(&self, interface: &str) -> Traffic {
        traffic_in(Path::new(&format!("/proc/{}/net/dev", self.pid())), interface)
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// The kernel's counts of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the columns of /proc/net/dev")]
pub struct Traffic {
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
}

/// The counts of an interface of this thread's namespace.
pub fn traffic(interface: &str) -> Traffic {
    traffic_in(Path::new("/proc/thread-self/net/dev"), interface)
}

fn traffic_in(table: &Path, interface: &str) -> Traffic {
    let table = std::fs::read_to_string(table).expect("the interfaces");
    let line = table.lines().find_map(|line| line.trim().strip_prefix(interface)?.strip_prefix(':'));
    let line = line.unwrap_or_else(|| panic!("no {interface} in {table}"));
    let counts: Vec<u64> = line.split_ascii_whitespace().map(|word| word.parse().expect("a count")).collect();
    Traffic { rx_bytes: counts[0], rx_packets: counts[1], tx_bytes: counts[8], tx_packets: counts[9] }
}

/// Sends `count` datagrams of `bytes` each from this thread's namespace to port 9 of `to`. No
/// program listens there.
pub fn send_datagrams(to: &str, count: u32, bytes: usize) {
    let to: SocketAddr = format!("{to}:9").parse().expect("an address");
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let datagram = vec![0; bytes];
    for _ in 0..count {
        // The receiver's kernel reports the closed port, which makes a later send fail.
        let _ = socket.send_to(&datagram, to);
    }
}
