//! What the collector and the `/proc` source count as received, sent, local and disk traffic, with
//! real devices: one test for each path that bytes take. `cargo xtask vm` runs them, in machines
//! with the network cards and disks that they need.
//!
//! Each test prints a row of the table in docs/specification.md.

mod disks;
mod measure;
mod network;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

use khor_e2e::skip::in_vm;

use crate::measure::Sources;

/// The running test holds this lock, because the tests share the machine and hence its counters.
/// The first test starts the sources: that takes ten seconds in an emulated machine.
static SOURCES: Mutex<Option<Sources>> = Mutex::new(None);

/// The sources, with the machine to themselves.
struct Turn(MutexGuard<'static, Option<Sources>>);

impl Turn {
    fn sources(&self) -> &Sources {
        self.0.as_ref().expect("`turn` starts them")
    }
}

/// Waits for the turn of this test.
fn turn() -> Turn {
    assert!(in_vm(), "only in a machine of `cargo xtask vm`, whose network cards and disks nobody else uses");
    let mut sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    sources.get_or_insert_with(Sources::start);
    Turn(sources)
}
