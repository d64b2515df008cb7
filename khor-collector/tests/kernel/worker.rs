//! A worker process, which does its work each time a test sends a command. The process is the test
//! program itself, started with its only ignored test.

use std::{
    io::{BufRead, BufReader, Write, stdin},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use khor_e2e::{Cgroup, load};

const WORK: &str = "KHOR_WORK";
/// Payload of each datagram that a worker sends, in bytes.
pub(crate) const DATAGRAM_BYTES: usize = 1000;

/// A worker process.
pub(crate) struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker process in `cgroup`, which waits for commands. At each command it does
    /// `work`.
    pub(crate) fn start(work: &str, cgroup: Option<&Cgroup>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("finding the test program"));
        command.args(["--exact", "worker::works", "--ignored", "--nocapture", "--test-threads=1"]);
        let mut child = command
            .env(WORK, work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting a worker");
        let output = BufReader::new(child.stdout.take().expect("the worker's output"));
        let mut worker = Self { child, output };
        worker.wait_for("ready");
        if let Some(cgroup) = cgroup {
            cgroup.take(worker.pid());
        }
        worker
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets the worker do its work once, and waits until the work is done. The worker then waits
    /// for the next command.
    pub(crate) fn work(&mut self) {
        self.go();
        self.wait_for("done");
    }

    /// Makes the worker do its work, which must kill the worker. Waits until the worker has ended.
    pub(crate) fn work_to_death(mut self) {
        self.go();
        assert!(!self.child.wait().expect("the worker's exit status").success());
    }

    fn go(&mut self) {
        writeln!(self.child.stdin.as_mut().expect("the worker's input"), "go")
            .expect("writing to the worker");
    }

    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while !line.ends_with(&format!("{word}\n")) {
            line.clear();
            assert_ne!(
                self.output.read_line(&mut line).expect("the worker's output"),
                0,
                "the worker ended before it printed {word}"
            );
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "other tests start this test as a process"]
fn works() {
    let work = std::env::var(WORK).expect("the task in KHOR_WORK");
    println!("ready");
    let mut line = String::new();
    while stdin().read_line(&mut line).expect("reading a command") > 0 {
        work_at(&work);
        println!("done");
    }
}

fn work_at(work: &str) {
    let (what, amount) = work.split_once(' ').unwrap_or((work, "0"));
    let number = || amount.parse().expect("the amount is a number");
    match what {
        "execs" => load::execs(number()),
        // The worker and a second thread switch to each other. Keep the second thread alive after
        // the work, because the kernel drops the counts of ended threads.
        "switches" => std::mem::forget({
            let mut pair = load::PingPong::start();
            pair.run(number());
            pair
        }),
        "loopback" => load::loopback(number().into(), 0),
        "datagrams" => {
            let (address, count) = amount.split_once(' ').expect("the task has an address and a number");
            let address = address.parse().expect("the address is valid");
            load::datagrams(address, count.parse().expect("the amount is a number"), DATAGRAM_BYTES);
        }
        "direct-io" => load::direct_io(Path::new(amount), 8).expect("reading and writing with direct I/O"),
        "abort" => std::process::abort(),
        "allocate" => {
            let mebibytes: usize = amount.parse().expect("the amount is a number");
            println!("{}", vec![1_u8; mebibytes << 20].iter().map(|byte| usize::from(*byte)).sum::<usize>());
        }
        other => panic!("{other}"),
    }
}
