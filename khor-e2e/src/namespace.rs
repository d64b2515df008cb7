//! A network namespace for a whole test. [`crate::load::in_namespace`] runs a single function in a
//! namespace.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Pid, gettid};

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace with a thread in it. Both end when this is dropped. A socket that the thread
/// creates stays in the namespace, even if another thread uses it later.
#[derive(Debug)]
pub struct Namespace {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    id: Pid,
}

impl Namespace {
    /// Creates a namespace with a loopback interface only. Needs root.
    pub fn new() -> Self {
        let (jobs, received) = channel::<Job>();
        let (ready, is_ready) = channel();
        let thread = thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace");
            run_command("ip link set lo up");
            ready.send(gettid()).expect("the creator waits");
            for job in received {
                job();
            }
        });
        let id = is_ready.recv().expect("a network namespace");
        Self { jobs: Some(jobs), thread: Some(thread), id }
    }

    /// The ID of its thread, by which `ip link … netns` finds the namespace.
    pub fn id(&self) -> i32 {
        self.id.as_raw()
    }

    /// Runs `job` in the namespace and returns its result. Panics if the job does.
    pub fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> R {
        let (done, result) = channel();
        let send = Box::new(move || drop(done.send(catch_unwind(AssertUnwindSafe(job)))));
        self.jobs.as_ref().and_then(|jobs| jobs.send(send).ok()).expect("the namespace's thread runs");
        result.recv().expect("the job's result").unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Runs a command line in the namespace, as [`run_command`] does.
    pub fn command(&self, line: &str) {
        let line = line.to_owned();
        self.run(move || run_command(&line));
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs a command line, split at whitespace, and returns its output.
///
/// # Panics
///
/// If the command fails. The message contains the command and its error output.
pub fn run_command(line: &str) -> String {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().expect("a program")).args(words).output();
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
