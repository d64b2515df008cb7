//! Simulated hosts with faults, for tests with many hosts. They send real frames through a real
//! server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use khor_fleet::{Frame, Message, Name, SIGNALS, Signal, Source, subject};

use crate::site::NatsServer;

/// Time between two frames of a host. Relays use the same interval.
const INTERVAL: Duration = Duration::from_millis(200);
/// Number of frames that a host sends before it falls silent.
const LAST_FRAMES: u64 = 10;
/// How far the clock of a host with the fault `ClockBehind` lags, in milliseconds.
const BEHIND_MS: u64 = 300_000;

/// A fault of a simulated host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host stops sending.
    FallsSilent,
    /// The host's clock lags by five minutes.
    ClockBehind,
    /// A second relay uses the host's name.
    UsedTwice,
    /// Every tenth message of the host is truncated.
    Broken,
}

/// A simulated host.
#[derive(Clone, Debug)]
pub struct SimulatedHost {
    /// The host's name.
    pub name: String,
    /// The host's section.
    pub section: Option<&'static str>,
    /// The signal that deviates, a name in khor-fleet's `SIGNALS`.
    pub signal: &'static str,
    /// Average deviation of this signal, in octaves above the baseline.
    pub octaves: f32,
    /// The host's fault, if any.
    pub fault: Option<Fault>,
}

/// Running hosts of the site `home`. They stop when this value is dropped.
#[derive(Debug)]
pub struct Simulation {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Simulation {
    /// Starts the hosts. Each host's deviation swings around its average, by at most 0.75 octaves
    /// up and down, at the host's own pace.
    pub fn start(server: &NatsServer, hosts: Vec<SimulatedHost>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (until, connected) = (Arc::clone(&over), server.unrestricted_client());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("creating a tokio runtime")
                .block_on(async { send(hosts, &until, &connected.await).await });
        };
        Self { over, thread: Some(thread::spawn(work)) }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Ignore a panic of the thread: the test fails anyway, because messages are missing.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn send(hosts: Vec<SimulatedHost>, over: &AtomicBool, client: &async_nats::Client) {
    let site = Name::new("home").expect("a valid name");
    let mut ticks = tokio::time::interval(INTERVAL);
    for seq in 0.. {
        ticks.tick().await;
        if over.load(Ordering::Relaxed) {
            return;
        }
        for (number, host) in hosts.iter().enumerate() {
            for bytes in messages(host, number as u32, seq) {
                let name = Name::new(host.name.clone()).expect("a valid name");
                let subject = subject::of_host(&site, &name, subject::Kind::Frame);
                client.publish(subject, bytes.into()).await.expect("publishing a frame");
            }
        }
        client.flush().await.expect("flushing the connection");
    }
}

/// The messages that a host sends in one interval.
fn messages(host: &SimulatedHost, number: u32, seq: u64) -> Vec<Vec<u8>> {
    let write = |instance| frame(host, number, instance, seq).write().expect("encoding a frame");
    let valid = write(number);
    match host.fault {
        Some(Fault::FallsSilent) if seq >= LAST_FRAMES => Vec::new(),
        Some(Fault::UsedTwice) => vec![valid, write(number + 1_000_000)],
        Some(Fault::Broken) if seq % 10 == 9 => vec![valid[..valid.len() / 2].to_vec()],
        _ => vec![valid],
    }
}

fn frame(host: &SimulatedHost, number: u32, instance: u32, seq: u64) -> Frame {
    let wall_ms =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970").as_millis()
            as u64;
    let swing = (seq as f32 / (20.0 + (number % 17) as f32)).sin();
    let octaves = (host.octaves + 0.75 * swing).max(0.0);
    let deviating = SIGNALS.iter().position(|name| *name == host.signal).expect("a name of a signal");
    let signal = |i: usize| {
        let octaves = if i == deviating { octaves } else { 0.1 };
        Signal {
            rate: 1_000.0 * octaves.exp2(),
            baseline: 1_000.0,
            deviation: (octaves * Signal::PARTS_OF_OCTAVE) as i16,
            level: (octaves * 30.0).clamp(14.0, 255.0) as u8,
            surprise: 0,
        }
    };
    Frame {
        host: Name::new(host.name.clone()).expect("a valid name"),
        section: host.section.map(|section| Name::new(section).expect("a valid name")),
        boot_id: None,
        instance,
        seq,
        monotonic_ms: 1_000_000 + seq * INTERVAL.as_millis() as u64,
        wall_ms: if host.fault == Some(Fault::ClockBehind) { wall_ms - BEHIND_MS } else { wall_ms },
        version: "0.1.0".into(),
        source: Source::Proc,
        learnt: 255,
        signals: (0..SIGNALS.len()).map(|i| Some(signal(i))).collect(),
        added: Vec::new(),
    }
}
