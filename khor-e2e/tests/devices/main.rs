//! Tests what the collector and the `/proc` source count as received, sent, local and disk traffic.
//! Each test uses one kind of device. `cargo xtask vm` runs the tests in virtual machines with the
//! necessary network cards and disks.
//!
//! Each test prints a row of the table in docs/specification.md.

mod disks;
mod measure;
mod network;
mod world;

use khor_e2e::skip::in_vm;
use parking_lot::{Mutex, MutexGuard};

use crate::measure::Sources;

/// The running test holds this lock, because the tests share the machine's counters. The first test
/// starts the collector and the engine, which takes ten seconds in an emulated machine.
static SOURCES: Mutex<Option<Sources>> = Mutex::new(None);

/// Exclusive access to the two sources (the collector and the engine that reads `/proc`), and to
/// the machine's counters.
struct Turn(MutexGuard<'static, Option<Sources>>);

impl Turn {
    fn sources(&self) -> &Sources {
        self.0.as_ref().expect("the sources that `turn` starts")
    }
}

/// Waits until no other test runs. The first call also starts the collector and the engine that the
/// tests measure with.
fn turn() -> Turn {
    assert!(in_vm(), "this machine lacks the network cards and disks of these tests; run `cargo xtask vm`");
    let mut sources = SOURCES.lock();
    sources.get_or_insert_with(Sources::start);
    Turn(sources)
}
