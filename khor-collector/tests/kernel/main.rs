//! The built collector on the running kernel, against the kernel's own account of things. Run as root; also by
//! `cargo xtask vm` on other kernels.
//!
//! Tests share the machine and hence its counters, so they take turns.

mod agreement;
mod counts;
mod cues;
mod faults;
mod missed;
mod privilege;
mod scopes;
mod worker;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use khor_e2e::Collector;
use khor_e2e::skip::{in_vm, root_or_skip};

/// The running test holds this lock. In a virtual machine the lock guards the shared collector.
static TURN: Mutex<Option<Arc<Collector>>> = Mutex::new(None);

/// A collector with the machine to itself, or none where the tests cannot run.
struct Turn {
    collector: Arc<Collector>,
    _turn: MutexGuard<'static, Option<Arc<Collector>>>,
}

/// Waits for the turn of this test. Each test starts its own collector. In a virtual machine a
/// start takes ten seconds, so all tests share one collector there.
fn turn() -> Option<Turn> {
    let mut turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if !root_or_skip() {
        return None;
    }
    let start = || Arc::new(Collector::start(program(), &["--no-dbus"]));
    let collector = if in_vm() { Arc::clone(turn.get_or_insert_with(start)) } else { start() };
    Some(Turn { collector, _turn: turn })
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_khor-collector"))
}

/// A directory on a disk; the temporary one may lie in memory.
fn disk() -> &'static Path {
    program().parent().expect("its directory")
}
