//! Many simulated hosts: real frames, sent to a real server at the rate of relays.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use khor_fleet::{
    Frame, Message, Name, SIGNALS, Signal, Source,
    subject::{self, Kind},
};
use parking_lot::Mutex;
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

use crate::site::NatsServer;

/// Between two frames of a host.
const PERIOD: Duration = Duration::from_millis(200);
/// Parts of it; the hosts are spread over them.
const SLOTS: usize = 20;
/// Deviation of the host that stands out, octaves.
const FAR: f32 = 5.0;
/// `rx`, by which it stands out.
const BY: usize = 2;

/// Which host stands out, and since when its frames show it; hosts that are silent.
#[derive(Debug, Default)]
struct Wanted {
    out: Option<usize>,
    stood_out_at: Option<Instant>,
    silent: Vec<usize>,
    /// Frames that all hosts have sent so far.
    sent: u64,
}

/// Many hosts that send; they end when dropped.
#[derive(Debug)]
pub struct Hosts {
    wanted: Arc<Mutex<Wanted>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Hosts {
    /// Starts `count` hosts of a site: `PREFIX-0` and so on.
    pub fn start(server: &NatsServer, site: &str, prefix: &str, count: usize) -> Self {
        let wanted = Arc::new(Mutex::new(Wanted::default()));
        let (stop, stopped) = oneshot::channel();
        let site = Name::new(site).expect("a name");
        let hosts: Vec<Host> = (0..count).map(|i| host(&site, prefix, i)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(server.unrestricted_client());
        let shared = Arc::clone(&wanted);
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = send(client, hosts, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { wanted, stop: Some(stop), thread: Some(thread) }
    }

    /// Lets one stand out from its next frame on, or none.
    pub fn stand_out(&self, host: Option<usize>) {
        let mut wanted = self.wanted.lock();
        (wanted.out, wanted.stood_out_at) = (host, None);
    }

    /// When the host that stands out first sent a frame that shows it.
    pub fn stood_out_at(&self) -> Option<Instant> {
        self.wanted.lock().stood_out_at
    }

    /// Frames that all hosts have sent so far.
    pub fn sent(&self) -> u64 {
        self.wanted.lock().sent
    }

    /// These hosts stop sending.
    pub fn silence(&self, hosts: Vec<usize>) {
        self.wanted.lock().silent = hosts;
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A host, and where its frames go.
struct Host {
    frame: Frame,
    subject: String,
}

async fn send(client: async_nats::Client, mut hosts: Vec<Host>, wanted: Arc<Mutex<Wanted>>) {
    let mut ticks = interval(PERIOD / SLOTS as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    for slot in (0..SLOTS).cycle() {
        ticks.tick().await;
        let (out, silent) = {
            let wanted = wanted.lock();
            (wanted.out, wanted.silent.clone())
        };
        for i in (slot..hosts.len()).step_by(SLOTS).filter(|i| !silent.contains(i)) {
            let host = &mut hosts[i];
            fill_next(&mut host.frame, begun, i, out == Some(i));
            let bytes = host.frame.write().expect("a frame that fits");
            {
                let mut wanted = wanted.lock();
                wanted.sent += 1;
                if out == Some(i) && wanted.out == out {
                    wanted.stood_out_at.get_or_insert_with(Instant::now);
                }
            }
            client.publish(host.subject.clone(), bytes.into()).await.expect("sending");
        }
    }
}

fn host(site: &Name, prefix: &str, i: usize) -> Host {
    let name = Name::new(format!("{prefix}-{i}")).expect("a name");
    let subject = subject::of_host(site, &name, Kind::Frame);
    let frame = Frame {
        host: name,
        section: Some(Name::new(format!("section-{}", i % 4)).expect("a name")),
        boot_id: Some([i as u8; 16]),
        instance: i as u32,
        seq: 0,
        monotonic_ms: 0,
        wall_ms: 0,
        version: "0.1.0".into(),
        source: Source::Collector,
        learnt: 255,
        signals: Vec::new(),
        added: Vec::new(),
    };
    Host { frame, subject }
}

/// The next frame. Sizes differ between hosts by up to ten octaves, and vary a little over time.
fn fill_next(frame: &mut Frame, begun: Instant, i: usize, out: bool) {
    frame.seq += 1;
    frame.monotonic_ms = 1_000_000 + begun.elapsed().as_millis() as u64;
    frame.wall_ms =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let signal = |number: usize| {
        // A simple, deterministic spread of numbers.
        let turn = |by: usize| ((i * 7919 + number * 104_729 + by * 611_953) % 1_000) as f32 / 1_000.0;
        let is_out = out && number == BY;
        let octaves = if is_out { FAR } else { turn(frame.seq as usize) - 0.5 };
        let baseline = (turn(0) * 10.0).exp2() * 10.0;
        Some(Signal {
            rate: baseline * octaves.exp2(),
            baseline,
            deviation: (octaves * Signal::PARTS_OF_OCTAVE) as i16,
            level: if is_out { 250 } else { (turn(frame.seq as usize) * 20.0) as u8 },
            surprise: (turn(3) * 40.0) as u8,
        })
    };
    frame.signals = (0..SIGNALS.len()).map(signal).collect();
}
