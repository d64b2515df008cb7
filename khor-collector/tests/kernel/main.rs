//! The built collector on the running kernel, against the kernel's own account of things. Run as root; also by
//! `cargo xtask vm` on other kernels.
//!
//! Tests share the machine and hence its counters, so they take turns.

mod agreement;
mod counts;
mod cues;
mod faults;
mod privilege;
mod scopes;
mod worker;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use khor_e2e::Collector;
use khor_e2e::skip::root_or_skip;

static TURN: Mutex<()> = Mutex::new(());

/// A collector with the machine to itself, or none where the tests cannot run.
struct Turn {
    collector: Collector,
    _turn: MutexGuard<'static, ()>,
}

/// Waits for the turn of this test.
fn turn() -> Option<Turn> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    root_or_skip().then(|| Turn { collector: Collector::start(program(), &["--no-dbus"]), _turn: turn })
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_khor-collector"))
}

/// A directory on a disk; the temporary one may lie in memory.
fn disk() -> &'static Path {
    program().parent().expect("its directory")
}
