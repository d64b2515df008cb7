//! A process that works on command: the test's own program, started again with its only ignored
//! test.

use std::{
    io::{BufRead, BufReader, Write, stdin},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use khor_e2e::{Cgroup, load};

const WORK: &str = "KHOR_WORK";
/// Data in each datagram that a worker sends.
pub(crate) const DATAGRAM_BYTES: usize = 1000;

/// The process.
pub(crate) struct Worker {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it, within `cgroup`; it waits.
    pub(crate) fn start(work: &str, cgroup: Option<&Cgroup>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "worker::works", "--ignored", "--nocapture", "--test-threads=1"]);
        let mut child = command
            .env(WORK, work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a worker");
        let said = BufReader::new(child.stdout.take().expect("its words"));
        let mut worker = Self { child, said };
        worker.wait_for("ready");
        if let Some(cgroup) = cgroup {
            cgroup.take(worker.pid());
        }
        worker
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it work, and waits until it is done; it stays.
    pub(crate) fn work(&mut self) {
        self.go();
        self.wait_for("done");
    }

    /// Has it work, which it does not survive.
    pub(crate) fn work_to_death(mut self) {
        self.go();
        assert!(!self.child.wait().expect("its end").success());
    }

    fn go(&mut self) {
        writeln!(self.child.stdin.as_mut().expect("its ear"), "go").expect("telling it");
    }

    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while !line.ends_with(&format!("{word}\n")) {
            line.clear();
            assert_ne!(
                self.said.read_line(&mut line).expect("its words"),
                0,
                "it ended before it was {word}"
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
#[ignore = "a process of other tests"]
fn works() {
    let work = std::env::var(WORK).expect("something to do");
    println!("ready");
    let mut line = String::new();
    while stdin().read_line(&mut line).expect("a word") > 0 {
        work_at(&work);
        println!("done");
    }
}

fn work_at(work: &str) {
    let (what, amount) = work.split_once(' ').unwrap_or((work, "0"));
    let number = || amount.parse().expect("a number");
    match what {
        "execs" => load::execs(number()),
        // Its threads stay, because the kernel drops the counts of threads that end.
        "switches" => std::mem::forget({
            let mut pair = load::PingPong::start();
            pair.run(number());
            pair
        }),
        "loopback" => load::loopback(number().into(), 0),
        "datagrams" => {
            let (address, count) = amount.split_once(' ').expect("an address and a number");
            let address = address.parse().expect("an address");
            load::datagrams(address, count.parse().expect("a number"), DATAGRAM_BYTES);
        }
        "direct-io" => load::direct_io(Path::new(amount), 8).expect("direct I/O"),
        "abort" => std::process::abort(),
        "allocate" => {
            let mebibytes: usize = amount.parse().expect("a number");
            println!("{}", vec![1_u8; mebibytes << 20].iter().map(|byte| usize::from(*byte)).sum::<usize>());
        }
        other => panic!("{other}"),
    }
}
