//! Measures the cost of the collector with one subscriber, and the cost of a minimal program that
//! sends as often.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use khor_e2e::{Collector, engine::program};
use khor_proto::{Subscribe, client::Client};

use crate::{cost::watch, figure::Figure};

/// Time between two samples. There are 50 samples a second.
const INTERVAL: Duration = Duration::from_millis(20);
/// Number of bytes that the minimal program sends each time, which is about the length of a
/// sample's frame.
const SAMPLE_BYTES: usize = 64;

/// The minimal program: this same program, started in another role. It only sleeps and sends
/// [`SAMPLE_BYTES`] fifty times a second. The figures compare the collector with it, because timers
/// and context switches alone are expensive on a virtual machine.
struct Metronome {
    child: Child,
    reader: Option<thread::JoinHandle<()>>,
}

impl Metronome {
    fn start() -> Self {
        let itself = std::env::current_exe().expect("this program's path");
        let mut child = Command::new(itself)
            .arg("metronome")
            .stdout(Stdio::piped())
            .spawn()
            .expect("starting the minimal program");
        let mut output = child.stdout.take().expect("the minimal program's output");
        let reader = thread::spawn(move || {
            let mut bytes = [0; SAMPLE_BYTES];
            while output.read_exact(&mut bytes).is_ok() {}
        });
        Self { child, reader: Some(reader) }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The reader thread ends, because the pipe closes when the child ends.
        let _ = self.reader.take().map(thread::JoinHandle::join);
    }
}

/// The main function of the minimal program. Returns when nobody reads its output.
pub(crate) fn metronome() {
    let mut output = std::io::stdout().lock();
    // Flush each time, because standard output buffers text until the end of a line.
    while output.write_all(&[0; SAMPLE_BYTES]).and_then(|()| output.flush()).is_ok() {
        thread::sleep(INTERVAL);
    }
}

pub(crate) fn measure() -> Vec<Figure> {
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let (stop, stopped) = mpsc::channel::<()>();
    let socket = collector.socket().to_owned();
    let subscriber = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        runtime.block_on(async {
            let (mut client, _) = Client::connect(&socket, "bench").await.expect("an open connection");
            client
                .subscribe(Subscribe { interval_ms: INTERVAL.as_millis() as u16, ..Subscribe::default() })
                .await
                .expect("an accepted subscription");
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                client.sample().await.expect("a sample from the collector");
            }
        });
    });
    let metronome = Metronome::start();
    let (costs, busy) = watch(&[collector.pid(), metronome.pid()]);
    drop((stop, metronome));
    subscriber.join().expect("the subscriber's thread");
    let [cost, minimal] = costs.try_into().unwrap_or_else(|_| unreachable!("two processes"));
    let ratios = cost.cpu_pct.iter().zip(&minimal.cpu_pct).map(|(ours, theirs)| ours / theirs).collect();
    let mut figures = cost.report("collector, 1 subscriber");
    figures.push(Figure::new("  minimal program at 50 Hz, CPU", "%", minimal.cpu_pct));
    figures.push(Figure::new("  collector : minimal program, CPU", "x", ratios));
    figures.push(Figure::new("  whole machine busy meanwhile", "%", busy));
    figures
}
