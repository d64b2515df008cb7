//! Runs the built collector on its own socket and reads its counts.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::Arc,
};

use khor_proto::{Counter, CounterInfo, Sample, Subscribe, Welcome, client::Client};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{Wait, wait_for};

/// A running collector; killed when dropped.
#[derive(Debug)]
pub struct Collector {
    child: Child,
    runtime: Runtime,
    socket: PathBuf,
    dir: Arc<TempDir>,
}

/// One sample, with the catalogue of its counters.
#[derive(Clone, Debug)]
pub struct CounterReading {
    pub(crate) welcome: Welcome,
    pub(crate) sample: Sample,
}

impl CounterReading {
    /// The value of a counter; `None` if the collector cannot count it.
    pub fn get(&self, counter: Counter) -> Option<u64> {
        let index = self.welcome.counters.iter().position(|info| info.name == counter.name())?;
        self.sample.counters[index]
    }

    /// How much a counter grew since an earlier reading. Panics if the counter is missing.
    pub fn growth_since(&self, earlier: &Self, counter: Counter) -> u64 {
        let [now, before] = [self, earlier]
            .map(|reading| reading.get(counter).unwrap_or_else(|| panic!("{counter} is missing")));
        now - before
    }

    /// All counters in the collector's catalogue, with their units.
    pub fn counters(&self) -> &[CounterInfo] {
        &self.welcome.counters
    }

    /// The time of the sample in ns, on the clock `CLOCK_BOOTTIME`.
    pub fn t_ns(&self) -> u64 {
        self.sample.t_ns
    }
}

impl Collector {
    /// Starts `program` with `arguments` on a new socket, and waits until the collector accepts a
    /// client.
    pub fn start(program: &Path, arguments: &[&str]) -> Self {
        Self::start_in(&Arc::new(TempDir::new().expect("creating a temporary directory")), program, arguments)
    }

    /// Like `start`, with a directory that an earlier collector may have used.
    pub fn start_in(dir: &Arc<TempDir>, program: &Path, arguments: &[&str]) -> Self {
        Self::start_with(dir, program, arguments, &[])
    }

    /// Like `start_in`, with additional environment variables.
    pub fn start_with(
        dir: &Arc<TempDir>,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut wait = Wait::new("the collector to answer");
        let dir = Arc::clone(dir);
        let socket = dir.path().join("run").join("collector.sock");
        let log = File::create(dir.path().join("log")).expect("creating the log file");
        let child = Command::new(program)
            .arg("--socket")
            .arg(&socket)
            .args(arguments)
            .envs(environment.iter().copied())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        let mut collector = Self { child, runtime, socket, dir };
        while collector.runtime.block_on(Client::connect(&collector.socket, "e2e")).is_err() {
            let ended = collector.child.try_wait().expect("the collector's process state");
            assert!(ended.is_none(), "the collector did not start ({ended:?}): {}", collector.log());
            wait.pause(|| collector.log());
        }
        collector
    }

    /// The path of the collector's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Kills the collector, and returns its directory.
    pub fn into_dir(self) -> Arc<TempDir> {
        Arc::clone(&self.dir)
    }

    /// The collector's process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The collector's log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Takes a sample: the counters at some moment during this call.
    pub fn sample(&self) -> CounterReading {
        self.runtime.block_on(async {
            let (mut client, welcome) =
                Client::connect(&self.socket, "e2e").await.expect("an open connection");
            client.subscribe(Subscribe::default()).await.expect("an accepted subscription");
            let sample = client.sample().await.expect("a sample from the collector");
            CounterReading { welcome, sample }
        })
    }

    /// Stops the collector by SIGTERM, and waits for its exit.
    pub fn stop(&mut self) -> ExitStatus {
        self.stop_by(Signal::SIGTERM)
    }

    /// Sends a signal that ends the collector, and waits for its exit.
    pub fn stop_by(&mut self, signal: Signal) -> ExitStatus {
        kill(Pid::from_raw(self.pid() as i32), signal).expect("sending the signal to the collector");
        wait_for("the collector to stop", || self.child.try_wait().expect("the collector's process state"))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How much one of khor's counters grew between two samples, and the limits of this growth
/// according to the kernel's own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// Lower limit: how much the kernel's count grew between a reading after khor's first sample
    /// and a reading before khor's second sample.
    pub inner: u64,
    /// Growth of khor's counter between its two samples.
    pub ours: u64,
    /// Upper limit: how much the kernel's count grew between a reading before khor's first sample
    /// and a reading after khor's second sample.
    pub outer: u64,
}

impl Bracket {
    /// Whether khor's count is within the kernel's limits.
    pub fn holds(&self) -> bool {
        (self.inner..=self.outer).contains(&self.ours)
    }
}

/// Runs `load`, and counts its events with khor's `counter` and with the kernel's own count. Reads
/// the kernel's count before and after each sample.
pub fn bracket(
    mut sample: impl FnMut() -> CounterReading,
    counter: Counter,
    kernel: impl Fn() -> u64,
    load: impl FnOnce(),
) -> Bracket {
    let mut ours = || sample().get(counter).unwrap_or_else(|| panic!("{counter} is missing"));
    let (outer_start, first, inner_start) = (kernel(), ours(), kernel());
    load();
    let (inner_end, last, outer_end) = (kernel(), ours(), kernel());
    let bracket =
        Bracket { inner: inner_end - inner_start, ours: last - first, outer: outer_end - outer_start };
    println!("{counter}: {bracket:?}");
    bracket
}
