//! Tests the built collector on the running kernel against the kernel's own counts. Needs root.
//! `cargo xtask vm` runs it on other kernels.
//!
//! The tests share the machine and its counters, so only one test runs at a time.

mod agreement;
mod counts;
mod cues;
mod disks;
mod faults;
mod missed;
mod network;
mod privilege;
mod scopes;
mod sockets;
mod tagged_sockets;
mod worker;

use std::{path::Path, sync::Arc};

use khor_e2e::{
    Collector, Subscriber,
    skip::{in_vm, root_or_skip},
};
use khor_proto::{Availability, Counter, Scope, Selector};
use parking_lot::{Mutex, MutexGuard};

/// The lock that the running test holds. In a virtual machine, it contains the collector that all
/// tests share.
static TURN: Mutex<Option<Arc<Collector>>> = Mutex::new(None);

/// A collector, and the lock that keeps other tests from running.
struct Turn {
    collector: Arc<Collector>,
    _turn: MutexGuard<'static, Option<Arc<Collector>>>,
}

/// Waits until no other test runs, and returns a collector. `None` if this test cannot run. Each
/// test starts its own collector, except in a virtual machine: a start takes ten seconds there, so
/// all tests share one collector.
fn turn() -> Option<Turn> {
    let mut turn = TURN.lock();
    if !root_or_skip() {
        return None;
    }
    let start = || Arc::new(Collector::start(program(), &["--no-dbus"]));
    let collector = if in_vm() { Arc::clone(turn.get_or_insert_with(start)) } else { start() };
    Some(Turn { collector, _turn: turn })
}

/// Like [`turn`], for a test of scopes. A kernel in confidentiality lockdown does not support
/// scopes. On such a kernel, this function checks the reason that the collector gives, and returns
/// `None`.
fn scoped_turn() -> Option<Turn> {
    let turn = turn()?;
    if !is_locked_down() {
        return Some(turn);
    }
    let scope = Scope::only(Selector::Cgroup("/".into()));
    let mut subscriber =
        Subscriber::new(turn.collector.socket(), scope, &[]).expect("subscribing to the collector");
    for name in [Counter::Execs, Counter::Switches, Counter::RxBytes, Counter::TxBytes, Counter::Retransmits]
    {
        let Availability::Absent { reason } = subscriber.availability(name) else {
            panic!("{name} is available")
        };
        assert!(reason.contains("/sys/kernel/security/lockdown"), "{name}: {reason}");
        assert_eq!(subscriber.sample().get(name), None, "{name}");
    }
    None
}

/// Whether the kernel forbids programs to read its memory. Such a kernel does not support scopes.
fn is_locked_down() -> bool {
    khor_proto::lockdown::is_confidential()
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_khor-collector"))
}

/// Returns a directory on a disk. It is the directory of the collector's program, because the
/// temporary directory may be in memory.
fn disk() -> &'static Path {
    program().parent().expect("the program's directory")
}
