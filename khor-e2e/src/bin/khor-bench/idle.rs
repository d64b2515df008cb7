//! What the programs cost while nothing much happens: CPU, memory, and how often they wake.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use khor_e2e::engine::program;
use khor_e2e::procfs::{self, Usage};
use khor_e2e::{Collector, Engine, Pulse, wait_until};
use khor_proto::Subscribe;
use khor_proto::client::Client;

use crate::figure::Figure;

/// Fifty samples a second.
const INTERVAL: Duration = Duration::from_millis(20);
/// About as long as a sample's frame.
const SAMPLE_BYTES: usize = 64;
const WINDOWS: usize = 3;
const WINDOW: Duration = Duration::from_secs(20);
/// Until what happens at the start is over.
const SETTLE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

/// What the windows gave for one process or several together.
#[derive(Default)]
struct Cost {
    cpu_pct: Vec<f64>,
    rss_mib: Vec<f64>,
    switches_s: Vec<f64>,
}

pub(crate) fn measure() -> Vec<Figure> {
    let mut figures = collector_alone();
    figures.extend(with_sound());
    figures
}

/// What the least costs that anything can do fifty times a second: this program again, which then only sleeps
/// and sends as many bytes as a sample has. On a virtual machine a timer and a switch are dear.
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
            .expect("the minimal program");
        let mut output = child.stdout.take().expect("its output");
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
        // Its pipe ends with it.
        let _ = self.reader.take().map(thread::JoinHandle::join);
    }
}

/// The minimal program; returns when nobody reads any more.
pub(crate) fn metronome() {
    let mut output = std::io::stdout().lock();
    // Flushed at once: standard output holds back what does not end a line.
    while output.write_all(&[0; SAMPLE_BYTES]).and_then(|()| output.flush()).is_ok() {
        thread::sleep(INTERVAL);
    }
}

fn collector_alone() -> Vec<Figure> {
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let (stop, stopped) = mpsc::channel::<()>();
    let socket = collector.socket().to_owned();
    let subscriber = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (mut client, _) = Client::connect(&socket, "bench").await.expect("a connection");
            client
                .subscribe(Subscribe { interval_ms: INTERVAL.as_millis() as u16, ..Subscribe::default() })
                .await
                .expect("samples");
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                client.sample().await.expect("a sample");
            }
        });
    });
    let metronome = Metronome::start();
    let (costs, busy) = watch(&[collector.pid(), metronome.pid()]);
    drop((stop, metronome));
    subscriber.join().expect("the subscriber");
    let [cost, minimal] = costs.try_into().unwrap_or_else(|_| unreachable!("two processes"));
    let ratios = cost.cpu_pct.iter().zip(&minimal.cpu_pct).map(|(ours, theirs)| ours / theirs).collect();
    let mut figures = cost.report("collector, 1 subscriber");
    figures.push(Figure::new("  minimal program at 50 Hz, CPU", "%", minimal.cpu_pct));
    figures.push(Figure::new("  collector : minimal program, CPU", "x", ratios));
    figures.push(Figure::new("  whole machine busy meanwhile", "%", busy));
    figures
}

fn with_sound() -> Vec<Figure> {
    let Some(pulse) = Pulse::start() else {
        return vec![Figure::missing("collector + engine, sound", "%", "no pulseaudio")];
    };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &[], &pulse.environment());
    engine.wait_for_source("collector", PATIENCE);
    wait_until("the device", PATIENCE, || engine.get("/api/health")["audio"]["ok"] == true);
    let (costs, busy) = watch(&[collector.pid(), engine.pid()]);
    let health = engine.get("/api/health");
    assert_eq!(health["audio"]["ok"], true, "it sounded to the end: {health}");
    let mut figures = Cost::sum(&costs).report("collector + engine, sound");
    for (name, cost) in ["  collector", "  engine"].iter().zip(costs) {
        figures.extend(cost.report(name));
    }
    figures.push(Figure::new("  whole machine busy meanwhile", "%", busy));
    figures
}

/// Watches processes for all windows; with them the share of the machine that was busy, %.
fn watch(pids: &[u32]) -> (Vec<Cost>, Vec<f64>) {
    thread::sleep(SETTLE);
    let mut costs: Vec<Cost> = pids.iter().map(|_| Cost::default()).collect();
    let mut busy = Vec::new();
    for _ in 0..WINDOWS {
        let (begun, ticks) = (Instant::now(), procfs::cpu_ticks());
        let before: Vec<Usage> = pids.iter().map(|pid| procfs::usage(*pid)).collect();
        thread::sleep(WINDOW);
        for ((pid, before), cost) in pids.iter().zip(before).zip(&mut costs) {
            cost.add(before, procfs::usage(*pid), begun.elapsed().as_secs_f64());
            cost.rss_mib.push(rss_mib(*pid));
        }
        busy.push(100.0 * procfs::busy_share(ticks, procfs::cpu_ticks()));
    }
    (costs, busy)
}

fn rss_mib(pid: u32) -> f64 {
    let kib = procfs::status(pid, "VmRSS");
    kib.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("kB") / 1024.0
}

impl Cost {
    fn add(&mut self, before: Usage, after: Usage, elapsed_s: f64) {
        self.cpu_pct.push((after.cpu_ns - before.cpu_ns) as f64 / 1e7 / elapsed_s);
        self.switches_s.push((after.switches - before.switches) as f64 / elapsed_s);
    }

    /// Window by window.
    fn sum(costs: &[Self]) -> Self {
        let sum = |of: fn(&Self) -> &Vec<f64>| {
            (0..WINDOWS).map(|window| costs.iter().map(|cost| of(cost)[window]).sum()).collect()
        };
        Self {
            cpu_pct: sum(|cost| &cost.cpu_pct),
            rss_mib: sum(|cost| &cost.rss_mib),
            switches_s: sum(|cost| &cost.switches_s),
        }
    }

    fn report(self, name: &str) -> Vec<Figure> {
        vec![
            Figure::new(format!("{name}, CPU"), "%", self.cpu_pct),
            Figure::new(format!("{name}, RSS"), "MiB", self.rss_mib),
            Figure::new(format!("{name}, switches"), "1/s", self.switches_s),
        ]
    }
}
