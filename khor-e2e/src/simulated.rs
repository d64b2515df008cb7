//! Simulated hosts that send real frames through a real server, for tests with many machines.

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

/// Between two frames of a host, as relays have it.
const INTERVAL: Duration = Duration::from_millis(200);
/// Frames of a host that falls silent.
const LAST_FRAMES: u64 = 10;
/// How late a wrong clock is, milliseconds.
const BEHIND_MS: u64 = 300_000;

/// A fault of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// It stops sending.
    FallsSilent,
    /// Its clock is five minutes late.
    ClockBehind,
    /// A second relay uses its name.
    UsedTwice,
    /// One of ten of its messages is cut off.
    Broken,
}

/// A host.
#[derive(Clone, Debug)]
pub struct SimulatedHost {
    /// Its name.
    pub name: String,
    /// Its group.
    pub section: Option<&'static str>,
    /// The signal with which it stands out, one of khor-fleet's.
    pub signal: &'static str,
    /// Deviation of the signal, octaves.
    pub octaves: f32,
    /// Its fault, if it has one.
    pub oddity: Option<Oddity>,
}

/// Hosts of the site `home` that send; they end when this is dropped.
#[derive(Debug)]
pub struct Simulation {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Simulation {
    /// Lets them send. How far each stands out sways by an octave and a half, each at its own pace.
    pub fn start(server: &NatsServer, hosts: Vec<SimulatedHost>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (until, connected) = (Arc::clone(&over), server.unrestricted_client());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async { send(hosts, &until, &connected.await).await });
        };
        Self { over, thread: Some(thread::spawn(work)) }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // After a panic of the thread, its messages are missing, and the test fails.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn send(hosts: Vec<SimulatedHost>, over: &AtomicBool, client: &async_nats::Client) {
    let site = Name::new("home").expect("a name");
    let mut ticks = tokio::time::interval(INTERVAL);
    for seq in 0.. {
        ticks.tick().await;
        if over.load(Ordering::Relaxed) {
            return;
        }
        for (number, host) in hosts.iter().enumerate() {
            for bytes in messages(host, number as u32, seq) {
                let name = Name::new(host.name.clone()).expect("a name");
                let subject = subject::of_host(&site, &name, subject::Kind::Frame);
                client.publish(subject, bytes.into()).await.expect("sending");
            }
        }
        client.flush().await.expect("sending all");
    }
}

/// The messages of a host at one moment.
fn messages(host: &SimulatedHost, number: u32, seq: u64) -> Vec<Vec<u8>> {
    let write = |instance| frame(host, number, instance, seq).write().expect("a frame");
    let good = write(number);
    match host.oddity {
        Some(Oddity::FallsSilent) if seq >= LAST_FRAMES => Vec::new(),
        Some(Oddity::UsedTwice) => vec![good, write(number + 1_000_000)],
        Some(Oddity::Broken) if seq % 10 == 9 => vec![good[..good.len() / 2].to_vec()],
        _ => vec![good],
    }
}

fn frame(host: &SimulatedHost, number: u32, instance: u32, seq: u64) -> Frame {
    let wall_ms =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let sway = (seq as f32 / (20.0 + (number % 17) as f32)).sin();
    let octaves = (host.octaves + 0.75 * sway).max(0.0);
    let loud = SIGNALS.iter().position(|name| *name == host.signal).expect("a signal");
    let signal = |i: usize| {
        let octaves = if i == loud { octaves } else { 0.1 };
        Signal {
            rate: 1_000.0 * octaves.exp2(),
            baseline: 1_000.0,
            deviation: (octaves * Signal::PARTS_OF_OCTAVE) as i16,
            level: (octaves * 30.0).clamp(14.0, 255.0) as u8,
            surprise: 0,
        }
    };
    Frame {
        host: Name::new(host.name.clone()).expect("a name"),
        section: host.section.map(|section| Name::new(section).expect("a name")),
        boot_id: None,
        instance,
        seq,
        monotonic_ms: 1_000_000 + seq * INTERVAL.as_millis() as u64,
        wall_ms: if host.oddity == Some(Oddity::ClockBehind) { wall_ms - BEHIND_MS } else { wall_ms },
        version: "0.1.0".into(),
        source: Source::Proc,
        learnt: 255,
        signals: (0..SIGNALS.len()).map(|i| Some(signal(i))).collect(),
        added: Vec::new(),
    }
}
