//! Crashes processes. Every collector on the machine reports each crash. So a test that expects a
//! certain crash must prevent crashes by other tests.

use std::{os::unix::fs::symlink, path::Path, process::Command};

use crate::lock::MachineLock;

/// A shell script that ends its shell by SIGSEGV.
const SCRIPT: &str = "kill -SEGV $$";

/// Prevents crashes by other tests while this value exists.
#[derive(Debug)]
pub struct Crashes(#[expect(dead_code, reason = "dropping the lock releases it")] MachineLock);

impl Crashes {
    /// Waits until no other test prevents crashes, and then prevents crashes by other tests.
    pub fn alone() -> Self {
        Self(MachineLock::wait_for("crashes"))
    }

    /// Crashes a shell, and returns its pid.
    pub fn crash(&self) -> u32 {
        run(Command::new("sh").args(["-c", SCRIPT]))
    }
}

/// Crashes a shell, and returns its pid.
pub fn crash() -> u32 {
    Crashes::alone().crash()
}

/// Crashes a shell whose process name is `name`. The shell has this name because it starts through
/// a link in `dir`. Before the crash, it runs the script `before`, which may be empty.
pub fn crash_named(dir: &Path, name: &str, before: &str) -> u32 {
    let link = dir.join(name);
    symlink("/bin/sh", &link).expect("creating the link to the shell");
    let _alone = Crashes::alone();
    run(Command::new(&link).args(["-c", &format!("{before}\n{SCRIPT}")]))
}

fn run(shell: &mut Command) -> u32 {
    let mut child = shell.spawn().expect("starting the shell");
    let status = child.wait().expect("waiting for the shell");
    assert!(!status.success(), "the shell ended without a crash: {status}");
    child.id()
}
