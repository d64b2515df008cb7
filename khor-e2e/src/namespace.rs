//! A network namespace for a whole test. [`crate::load::in_namespace`] creates one for a single
//! function.

use std::{
    fs::File,
    panic::resume_unwind,
    process::Command,
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};

use nix::{
    sched::{CloneFlags, setns, unshare},
    unistd::{Pid, gettid},
};

/// A network namespace. A thread in the namespace keeps it alive until this value is dropped.
#[derive(Debug)]
pub struct Namespace {
    /// The thread ends when this sender is dropped.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    id: Pid,
}

impl Namespace {
    /// Creates a namespace with a loopback interface only. Needs root.
    pub fn new() -> Self {
        let (end, ended) = channel();
        let (ready, is_ready) = channel();
        let thread = thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("creating a network namespace (needs root)");
            run_command("ip link set lo up");
            ready.send(gettid()).expect("the creating thread waits");
            let _ = ended.recv();
        });
        let id = is_ready.recv().expect("the namespace's thread has started");
        Self { end: Some(end), thread: Some(thread), id }
    }

    /// The ID of the thread in the namespace, for `ip link … netns`.
    pub fn id(&self) -> i32 {
        self.id.as_raw()
    }

    /// Runs `inside` on a new thread in the namespace and returns its result. A panic of `inside`
    /// is passed on. A socket that `inside` creates stays in the namespace.
    pub fn run<R: Send>(&self, inside: impl FnOnce() -> R + Send) -> R {
        let file = File::open(format!("/proc/self/task/{}/ns/net", self.id)).expect("opening the namespace");
        thread::scope(|scope| {
            let entered = scope.spawn(|| {
                setns(file, CloneFlags::CLONE_NEWNET).expect("entering the namespace");
                inside()
            });
            entered.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Runs a command line in the namespace, as [`run_command`] does.
    pub fn command(&self, line: &str) {
        self.run(|| run_command(line));
    }

    /// Moves an interface from the calling thread's namespace into this namespace, and configures
    /// it.
    pub fn adopt(&self, interface: &str, address: &str) {
        run_command(&format!("ip link set {interface} netns {}", self.id));
        self.command(&format!("ip addr add {address} dev {interface}"));
        self.command(&format!("ip link set {interface} up"));
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs a command line, split at whitespace, and returns its output.
///
/// # Panics
///
/// Panics if the command fails. The message contains the command and its error output.
pub fn run_command(line: &str) -> String {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().expect("a command with a program")).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{procfs, skip::root_or_skip};

    #[test]
    fn namespaces_do_not_share_devices() {
        if !root_or_skip() {
            return;
        }
        let (one, other) = (Namespace::new(), Namespace::new());
        one.command(&format!("ip link add khor-one type veth peer name khor-other netns {}", other.id()));
        let names = |namespace: &Namespace| namespace.run(procfs::interfaces);
        assert_eq!(names(&one), ["khor-one", "lo"]);
        assert_eq!(names(&other), ["khor-other", "lo"]);
    }
}
